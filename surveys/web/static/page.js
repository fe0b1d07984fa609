// With JavaScript the page asks one question at a time through the widget; without it the form is there and works.
(function () {
  "use strict";
  var island = document.getElementById("survey-config"), mount = document.getElementById("survey-widget"), form = document.getElementById("survey-form");
  if (!island || !window.hsSurvey || !window.CSSStyleSheet || !("adoptedStyleSheets" in document)) return;
  var config = JSON.parse(island.textContent);
  config.mount = mount;
  mount.hidden = false;
  if (window.hsSurvey.show(config)) form.remove();
  else mount.hidden = true;
})();
