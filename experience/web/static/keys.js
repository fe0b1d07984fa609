// Work a list without the mouse: j/k move, Enter opens, x picks, / searches, ? helps, and one letter acts on the current row.
// A row is any [data-row]; [data-open] in it is followed by Enter; [data-key="e"] in it is clicked by that letter.
(function () {
  "use strict";
  var current = null, waitingForG = false;

  function rows() { return Array.prototype.slice.call(document.querySelectorAll("[data-row]")).filter(function (r) { return r.offsetParent !== null; }); }

  // htmx replaces a row at once and tells so 20 ms later: a key pressed in between means the row that stands there now.
  function here() {
    if (current && !current.isConnected && current.id && document.getElementById(current.id)) current = document.getElementById(current.id);
    return current;
  }

  function go(row) {
    if (!row) return;
    if (current) { current.classList.remove("is-current"); current.removeAttribute("aria-current"); }
    current = row;
    row.classList.add("is-current");
    row.setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    row.dispatchEvent(new CustomEvent("hs:row", { bubbles: true }));
  }

  function move(step) {
    var all = rows(), at = all.indexOf(here());
    if (!all.length) return;
    go(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))]);
    focus();
  }

  function focus() { // so that a screen reader reads the row, and Tab goes on inside it
    if (!current.hasAttribute("tabindex")) current.tabIndex = -1;
    current.focus({ preventScroll: true });
  }

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button|submit)$/.test(target.type);
  }

  function press(key) {
    var inRow = here() && current.isConnected && current.querySelector('[data-key="' + key + '"]');
    var onPage = document.querySelectorAll('[data-key-page="' + key + '"]'); // the page's own key wins over the frame's
    var target = inRow || onPage[onPage.length - 1];
    if (!target) return false;
    target.click();
    return true;
  }

  function help() { var d = document.getElementById("keys-help"); if (d) { d.open ? d.close() : d.showModal(); } }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    var key = event.key;
    here();
    if (key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || document.querySelector("dialog[open]") && key !== "?") return;
    if (waitingForG) {
      waitingForG = false;
      var path = { h: "/", v: "/voices", i: "/issues", o: "/orders", d: "/desk", s: "/supervision", t: "/touchpoints" }[key];
      if (path) { event.preventDefault(); location.assign(path); return; }
    }
    if (key === "g") { waitingForG = true; setTimeout(function () { waitingForG = false; }, 1200); return; }
    if (key === "j" || key === "ArrowDown" && current) move(1);
    else if (key === "k" || key === "ArrowUp" && current) move(-1);
    else if (key === "?") help();
    else if (key === "/") { var box = document.querySelector("[data-search]"); if (!box) return; box.focus(); box.select(); }
    else if (key === "Enter" && current && event.target.closest("a,button") === null) { var open = current.querySelector("[data-open]"); if (!open) return; open.click(); }
    else if (key === "x" && current) { var pick = current.querySelector("[data-pick]"); if (!pick) return; pick.click(); }
    else if (!/^[a-z0-9]$/.test(key) || !press(key)) return;
    event.preventDefault();
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-keys-help]")) { help(); return; }
    var row = event.target.closest("[data-row]");
    if (row && row !== current) go(row);
  });
  // A row that htmx has replaced keeps its place and its tick.
  var ticked = {};
  document.addEventListener("htmx:beforeSwap", function (event) {
    var pick = event.detail.target && event.detail.target.querySelector && event.detail.target.querySelector("[data-pick]");
    if (pick && event.detail.target.id) ticked[event.detail.target.id] = pick.checked;
  });
  document.addEventListener("htmx:load", function (event) {
    var row = event.detail.elt;
    if (!row || !row.id || !row.matches || !row.matches("[data-row]")) return;
    var pick = row.querySelector("[data-pick]");
    if (pick && ticked[row.id]) pick.checked = true;
    if (current && (current === row || !current.isConnected && current.id === row.id)) {
      current = null;
      go(row);
      if (document.activeElement === document.body) focus();
    }
  });
  window.hsRows = { go: function (row) { go(row); focus(); }, move: move, current: function () { return here() && current.isConnected ? current : null; } };
})();
