"""The service around the engine: watch, queue, bind, leader election, metrics, HTTP."""
