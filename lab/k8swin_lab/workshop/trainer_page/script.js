// The trainer's page. What seats say is set as text, never as HTML; a row is changed where it differs, so that the focus
// stays where it is.
"use strict";

const second = document.querySelector("meta[name=second]").content;
const at = (id) => document.getElementById(id);
const rows = new Map();
let seen = null; // what the server said last
let offset = 0; // the server's clock less this computer's, in seconds
let lost = null; // since when there is no connection
let ended = false;
let polling = null;
let shownSeat = null; // whose dialog with all of it is open

const WORDS = {
  confirmed: "confirmed from outside", said: "its own check said done", part: "not all is true",
  begun: "begun", none: "not begun",
};
const SIGNS = { confirmed: "✓", said: "“”", begun: "…", none: "·" };

function make(name, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

function put(element, text, name = element.className, title = "") {
  if (element.textContent !== text) element.textContent = text;
  if (element.className !== name) element.className = name;
  if (element.title !== title) element.title = title;
}

function past(seconds) {
  if (seconds === null) return "";
  const minutes = Math.max(0, Math.floor((Date.now() / 1000 + offset - seconds) / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function size(bytes) {
  const mebi = bytes / 1048576;
  return mebi < 1000 ? `${mebi < 10 ? mebi.toFixed(1) : Math.round(mebi)} MiB` : `${(mebi / 1024).toFixed(1)} GiB`;
}

function clock(seconds) {
  return seconds === null || seconds === undefined ? "" : new Date(seconds * 1000).toLocaleTimeString();
}

function say(text) { at("told").textContent = text; }

// Rows

function heads(exercises) {
  const names = [["Seat"], ["At"], ["State"], ["For"]];
  for (const one of exercises) names.push([one.id, "grid", one.title]);
  names.push(["Broken", "", "Broken on purpose"], ["Disk", "disk"], ["Last error", "what", "Last error, and what was asked of the seat"], ["Do"]);
  at("heads").replaceChildren(...names.map(([text, name, title]) =>
    make("th", { scope: "col", className: name || "", title: title || "" }, text)));
}

function newRow(name) {
  const row = { name, tr: make("tr"), grid: [] };
  row.open = make("button", { type: "button", className: "name" });
  row.open.addEventListener("click", () => openMore(name));
  row.exercise = make("td");
  row.state = make("td");
  row.for = make("td");
  row.grid = seen.exercises.map(() => make("td", { className: "grid" }, make("span"), make("span", { className: "unseen" })));
  row.drills = make("td", { className: "drills" });
  row.disk = make("td", { className: "disk" });
  row.text = make("span");
  row.clear = make("button", { type: "button", className: "clear" }, "×");
  row.clear.setAttribute("aria-label", `Clear what was asked of ${name}`);
  row.clear.addEventListener("click", () => { row.open.focus(); send(name, "seen", {}); });
  row.buttons = {};
  const buttons = make("td", { className: "buttons" });
  for (const [what, label, act] of [
    ["drill", "Drill…", () => askDrill(name)], ["reset", "Reset…", () => askReset(name)],
    ["grade", "Grade", () => send(name, "grade", {})],
  ]) {
    const button = make("button", { type: "button" }, label);
    button.setAttribute("aria-label", `${label} ${name}`);
    button.addEventListener("click", act);
    row.buttons[what] = button;
    buttons.append(button);
  }
  row.link = make("a", { target: "_blank", rel: "noopener noreferrer", className: "button" }, "Open");
  buttons.append(row.link);
  row.tr.append(make("th", { scope: "row" }, row.open), row.exercise, row.state, row.for, ...row.grid,
    row.drills, row.disk, make("td", { className: "what" }, make("div", {}, row.text, row.clear)), buttons);
  return row;
}

function cellText(grade) { return grade.is === "part" ? `${grade.met}/${grade.of}` : SIGNS[grade.is]; }

function busy(seat) { return Boolean(seat.doing) && ["waiting", "running"].includes(seat.doing.is); }

function doingText(seat) {
  const doing = seat.doing;
  if (doing.is === "waiting") return `${doing.what}: waits for its turn`;
  if (doing.is === "running") return `${doing.what}: at it for ${Math.max(0, Math.round(Date.now() / 1000 + offset - doing.since))} s`;
  return doing.is === "failed" ? `${doing.what} failed: ${doing.text}` : `${doing.what}: ${doing.text}`;
}

function textOf(seat) {
  if (!seat.doing) return [seat.error, seat.error ? "text bad" : "text"];
  const text = doingText(seat) + (seat.error ? ` | last error: ${seat.error}` : "");
  return [text, `text ${busy(seat) ? "working" : seat.doing.is === "failed" ? "bad" : "good"}`];
}

function update(row, seat) {
  put(row.open, seat.shown, "name", seat.shown);
  put(row.exercise, seat.exercise);
  put(row.state, seat.state, `state-${seat.state}`);
  put(row.for, past(seat.since));
  seat.grades.forEach((grade, place) => {
    const [sign, words] = row.grid[place].children;
    const title = WORDS[grade.is] + (grade.of === undefined ? "" : `, ${grade.met} of ${grade.of}, at ${clock(grade.time)}`);
    put(sign, cellText(grade), `cell ${grade.is}`, title);
    sign.setAttribute("aria-hidden", "true");
    put(words, title, "unseen");
  });
  put(row.drills, seat.drills.join(", "), "drills", seat.drills.join(", "));
  put(row.disk, size(seat.bytes));
  const [text, name] = textOf(seat);
  put(row.text, text, name, text);
  const off = busy(seat) || lost !== null;
  // A button that has the focus is not disabled under it: the focus would be lost.
  for (const button of Object.values(row.buttons)) button.setAttribute("aria-disabled", String(off));
  row.clear.hidden = !seat.doing || busy(seat);
  row.link.hidden = !seat.url;
  row.link.href = seat.url || "#";
  row.link.setAttribute("aria-label", `Open ${seat.shown} in a new tab`);
}

function summary(seats, exercises) {
  const count = (wanted) => seats.filter(wanted).length;
  const parts = [`${seats.length} ${seats.length === 1 ? "seat" : "seats"}`, `${count((one) => one.state === "ready")} ready`];
  for (const state of ["starting", "resetting", "stopped", "failed"]) {
    const number = count((one) => one.state === state);
    if (number) parts.push(`${number} ${state}`);
  }
  const by = exercises.map((one) => [one.id, count((seat) => seat.exercise === one.id)]).filter(([, number]) => number);
  return parts.join(", ") + (by.length ? `. At ${by.map(([id, number]) => `${id}: ${number}`).join(", ")}` : "");
}

function tellChanges(before, now) {
  const were = new Map((before ? before.seats : []).map((one) => [one.name, one]));
  for (const seat of now.seats) {
    const was = were.get(seat.name);
    if (!was) continue;
    if (was.state !== seat.state && ["failed", "stopped"].includes(seat.state)) say(`${seat.shown} ${seat.state}: ${seat.error}`);
    if (seat.doing && !busy(seat) && (!was.doing || was.doing.since !== seat.doing.since)) say(`${seat.shown}: ${doingText(seat)}`);
  }
}

function show(now) {
  const before = seen;
  seen = now;
  offset = now.now - Date.now() / 1000;
  if (!before) heads(now.exercises);
  const names = now.seats.map((one) => one.name);
  for (const [name, row] of rows) {
    if (!names.includes(name)) { row.tr.remove(); rows.delete(name); }
  }
  now.seats.forEach((seat, place) => {
    let row = rows.get(seat.name);
    if (!row) { row = newRow(seat.name); rows.set(seat.name, row); }
    const there = at("rows").children[place];
    if (there !== row.tr) at("rows").insertBefore(row.tr, there || null);
    update(row, seat);
  });
  at("seats").hidden = at("legend").hidden = at("all").hidden = false;
  put(at("sum"), summary(now.seats, now.exercises));
  tellChanges(before, now);
  trouble();
  if (shownSeat) fillMore();
}

function trouble() {
  let text = seen ? seen.trouble : "";
  if (lost !== null) {
    text = (ended ? "The server of this page was stopped" : "The server of this page does not answer")
      + `. Shown is what was true at ${new Date(lost).toLocaleTimeString()}; this page tries again by itself.`;
  }
  put(at("trouble"), text);
  at("trouble").hidden = !text;
  document.body.classList.toggle("old", lost !== null);
  at("all").setAttribute("aria-disabled", String(lost !== null));
}

// Doing

async function post(place, what) {
  if (lost !== null) { say("The server does not answer; nothing was done."); return null; }
  try {
    const answer = await fetch(place, {
      method: "POST", headers: { "X-Trainer": second, "Content-Type": "application/json" }, body: JSON.stringify(what),
    });
    if (answer.ok) return answer;
    complain((await answer.text()).trim());
  } catch (error) {
    complain("The server does not answer; it is not known whether it was done.");
  }
  return null;
}

let complaint = 0;
function complain(text) {
  clearTimeout(complaint);
  put(at("trouble"), text);
  at("trouble").hidden = false;
  complaint = setTimeout(trouble, 10000);
}

async function send(name, what, given) {
  const seat = seen.seats.find((one) => one.name === name);
  if (!seat) return;
  if (what !== "seen" && busy(seat)) { complain(`${seat.shown} is still at: ${doingText(seat)}`); return; }
  if (await post(`seats/${encodeURIComponent(name)}/${what}`, given)) say(`${seat.shown}: ${what} was asked`);
}

let doIt = null;
function ask(title, label, choices, chosen, explain, stays, button, then) {
  put(at("ask-title"), title);
  put(at("ask-label"), label);
  at("ask-choice").replaceChildren(...choices.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
  const tell = () => {
    const [text, ...list] = explain(at("ask-choice").value);
    put(at("ask-text"), text);
    at("ask-list").replaceChildren(...list.map((one) => make("li", {}, one)));
  };
  at("ask-choice").onchange = tell;
  tell();
  put(at("ask-stays"), stays);
  put(at("ask-do"), button);
  doIt = () => then(at("ask-choice").value);
  at("ask").showModal();
  at("ask-choice").focus();
}
at("ask-do").addEventListener("click", () => { const then = doIt; at("ask").close(); then(); });

function askDrill(name) {
  const seat = seen.seats.find((one) => one.name === name);
  if (!seat) return;
  const what = new Map(seen.drills.map((one) => [one.name, one.what]));
  ask(`Drill for ${seat.shown}`, "What breaks:", seen.drills.map((one) => [one.name, one.name]), "",
    (chosen) => [what.get(chosen) || "", ...(seat.drills.includes(chosen) ? ["It is broken already."] : [])],
    "", "Break it", (chosen) => send(name, "drill", { name: chosen }));
}

function askReset(name) {
  const seat = seen.seats.find((one) => one.name === name);
  if (!seat) return;
  ask(`Reset ${seat.shown}`, "To where this begins:", seen.exercises.map((one) => [one.id, `${one.id}: ${one.title}`]), seat.exercise,
    (chosen) => [
      `The machines of ${seat.shown} go back to where ${chosen} begins. What is lost:`,
      `everything that was done on its machines since${seat.since === null ? "" : ` (it is at ${seat.exercise} for ${past(seat.since)})`}`,
      ...(seat.drills.length ? [`what is broken on purpose: ${seat.drills.join(", ")}`] : []),
    ],
    "Its notebooks and files stay, and grades that are confirmed.", "Reset it", (chosen) => send(name, "reset", { exercise: chosen }));
}

at("all").addEventListener("click", async () => {
  const answer = await post("all/grade", {});
  if (answer) {
    const { begun } = await answer.json();
    say(begun === 1 ? "1 seat is looked at" : `${begun} seats are looked at`);
  };
});

// All of one seat

function openMore(name) {
  shownSeat = name;
  at("more-rows").replaceChildren();
  fillMore();
  at("more").showModal();
  at("more-title").focus();
}
at("more").addEventListener("close", () => { shownSeat = null; });

function fillMore() {
  const seat = seen.seats.find((one) => one.name === shownSeat);
  if (!seat) { at("more").close(); return; }
  put(at("more-title"), seat.shown);
  const facts = [
    ["State", seat.state], ["At", `${seat.exercise}, for ${past(seat.since) || "an unknown time"}`], ["Its own check said", seat.said || "nothing"],
    ["Last error", seat.error || "none"], ["Broken on purpose", seat.drills.join(", ") || "nothing"], ["Disk", size(seat.bytes)],
    ["Asked", seat.doing ? doingText(seat) : "nothing"],
  ];
  if (at("more-facts").children.length !== facts.length * 2) {
    at("more-facts").replaceChildren(...facts.flatMap(() => [make("dt"), make("dd")]));
  }
  facts.forEach(([name, value], place) => {
    put(at("more-facts").children[2 * place], name);
    put(at("more-facts").children[2 * place + 1], value);
  });
  seen.exercises.forEach((one, place) => {
    let row = at("more-rows").children[place];
    if (!row) {
      const button = make("button", { type: "button" }, "Grade");
      button.setAttribute("aria-label", `Grade ${one.id}`);
      button.addEventListener("click", () => send(shownSeat, "grade", { exercise: one.id }));
      row = make("tr", {}, make("th", { scope: "row" }, `${one.id}: ${one.title}`), make("td"), make("td"), make("td", {}, button));
      at("more-rows").append(row);
    }
    const grade = seat.grades[place];
    put(row.children[1], WORDS[grade.is] + (grade.of === undefined ? "" : `, ${grade.met} of ${grade.of}, ${grade.score} of ${grade.max} points, ${clock(grade.time)}`));
    put(row.children[2], (grade.missing || []).join("; "));
  });
}

// Listening: a web socket; where none gets through, fetching again and again.

function alive(text) {
  const document_ = JSON.parse(text);
  if (document_.ended) { ended = true; return; }
  if (!document_.seats) return;
  lost = null;
  ended = false;
  show(document_);
}

function down() {
  if (lost === null) lost = Date.now();
  trouble();
  if (seen) for (const seat of seen.seats) update(rows.get(seat.name), seat);
}

async function fetchOnce() {
  try {
    const answer = await fetch("state");
    if (answer.status === 403) { location.reload(); return false; }
    if (!answer.ok) throw new Error(answer.status);
    alive(await answer.text());
    return true;
  } catch (error) {
    down();
    return false;
  }
}

function listen() {
  const place = new URL("live", location.href);
  place.protocol = place.protocol.replace("http", "ws");
  const socket = new WebSocket(place);
  socket.onopen = () => { clearInterval(polling); polling = null; };
  socket.onmessage = (event) => alive(event.data);
  socket.onclose = async () => {
    await fetchOnce();
    if (polling === null) polling = setInterval(fetchOnce, 3000);
    setTimeout(listen, lost === null ? 15000 : 2000);
  };
}

setInterval(() => { if (seen) for (const seat of seen.seats) { const row = rows.get(seat.name); if (row) update(row, seat); } }, 1000);
listen();
