// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("hs-theme"); } catch (e) { /* storage may be off */ }
  var dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
})();
