"""The decision core: arrays and compiled kernels, no I/O and nothing of ours around it."""
