"use strict";
const at = (id) => document.getElementById(id);
const fill = (id, tag, rows, inner) => at(id).replaceChildren(...rows.map((row) => {
  const element = document.createElement(tag);
  inner(element, row);
  return element;
}));
const cells = (...names) => (element, row) => names.forEach((name) => {
  const cell = element.appendChild(document.createElement("td"));
  cell.textContent = row[name];
  if (["n", "p50", "p99", "max", "at"].includes(name)) cell.className = "n";
});
const stream = new EventSource("events");
stream.addEventListener("state", (event) => {
  const state = JSON.parse(event.data);
  for (const name of ["id", "target", "started"]) at(name).textContent = state[name];
  for (const [outcome, count] of Object.entries(state.tests)) at(outcome).textContent = count;
  fill("at_work", "li", state.at_work, (element, nodeid) => { element.textContent = "at work: " + nodeid; });
  fill("metrics", "tr", state.metrics, cells("name", "labels", "n", "p50", "p99", "max"));
  fill("lines", "tr", state.lines, cells("at", "said"));
  at("state").textContent = state.ended ? "The run ended at " + state.ended : "The run goes on";
});
stream.addEventListener("ended", () => {
  stream.close();
  at("report").src = "report";
  at("report").hidden = false;
});
stream.addEventListener("gone", (event) => {
  stream.close();
  at("state").textContent = JSON.parse(event.data).why;
});
stream.onerror = () => { at("state").textContent = "No connection; it is tried again"; };
