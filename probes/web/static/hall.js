// The demo hall's own script: what the operator's pages would do anyway, and one call to the probe where a payment fails.
(function () {
  "use strict";
  var PANES = ["number", "amount", "pay", "failed", "done"], STEP = { number: 0, amount: 1, pay: 2, failed: 2, done: 3 };
  var WAITS = { fail: 3000, slow: 6000, fine: 500 };
  function at(id) { return document.getElementById(id); }
  function chosen(name) { return document.querySelector("input[name=" + name + "]:checked"); }

  function show(pane, byHand) {
    PANES.forEach(function (id) { at(id).hidden = id !== pane; });
    [].forEach.call(at("steps").children, function (li, n) { li.className = n < STEP[pane] || pane === "done" ? "is-done" : n === STEP[pane] ? "is-now" : ""; });
    var first = at(pane).querySelector("input:checked,input,button");
    if (byHand) (at(pane).tabIndex === -1 ? at(pane) : first).focus();
  }
  function order() {
    var amount = chosen("amount"), digits = at("msisdn").value.replace(/\D/g, "");
    at("o-number").textContent = digits.length === 11 ? digits.slice(0, 3) + " **** " + digits.slice(7) : "—";
    at("o-face").textContent = amount.value + " 元";
    at("o-price").textContent = "¥" + amount.dataset.price;
    at("due").textContent = amount.dataset.price;
    at("paid-face").textContent = amount.value;
  }
  function place() {
    var select = at("province");
    at("o-province").textContent = select.selectedOptions[0].text;
    window.hs("context", { province: select.value, version: "web-6.2" });
    sessionStorage.setItem("hall_province", select.value);
  }

  at("number").addEventListener("submit", function (e) {
    e.preventDefault();
    var is = at("msisdn").value.replace(/\D/g, "").length === 11;
    at("number-said").textContent = is ? "" : "请输入 11 位手机号码。";
    if (!is) return at("msisdn").focus();
    order();
    show("amount", true);
  });
  at("amount").addEventListener("submit", function (e) { e.preventDefault(); order(); show("pay", true); });
  at("amount").addEventListener("change", order);
  at("province").addEventListener("change", place);

  at("pay").addEventListener("submit", function (e) {
    e.preventDefault();
    var mode = chosen("mode").value, begun = Date.now();
    at("confirm").disabled = true;
    at("wait").hidden = false;
    setTimeout(function () {
      fetch("/demo/hall/pay" + (mode === "fail" ? "?fail=1" : ""), { method: "POST" })
        .then(function (answer) { return answer.json().then(function (body) { return { ok: answer.ok, code: body.code }; }); })
        .catch(function () { return { ok: false, code: "NETWORK" }; })
        .then(function (answer) {
          at("confirm").disabled = false;
          at("wait").hidden = true;
          if (!answer.ok) window.hs("fail", answer.code, { step: "pay", ms: Date.now() - begun });
          show(answer.ok ? "done" : "failed", true);
        });
    }, WAITS[mode]);
  });
  at("retry").addEventListener("click", function () { show("pay", true); });
  at("again").addEventListener("click", function () { show("number", true); });
  [].forEach.call(document.querySelectorAll("[data-back]"), function (button) {
    button.addEventListener("click", function () { show(button.dataset.back, true); });
  });
  [].forEach.call(document.querySelectorAll("input[name=mode]"), function (radio) {
    radio.checked = radio.value === (sessionStorage.getItem("hall_mode") || "fail");
    radio.addEventListener("change", function () { sessionStorage.setItem("hall_mode", radio.value); });
  });
  at("province").value = sessionStorage.getItem("hall_province") || "guangdong";
  if (innerWidth < 700) at("switch").open = false;
  place();
})();
