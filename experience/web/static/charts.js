// Draws every [data-picture] from its JSON island. The island is an ECharts option in which colours are names of CSS variables
// ("--bad"), so that a picture follows light and dark. No HTML tooltips: they would need inline styles, which the CSP forbids.
(function () {
  "use strict";
  var drawn = [];

  function tinted(value, style) {
    if (typeof value === "string") return value.slice(0, 2) === "--" ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map(function (v) { return tinted(v, style); });
    if (value && typeof value === "object") { var made = {}; Object.keys(value).forEach(function (k) { made[k] = tinted(value[k], style); }); return made; }
    return value;
  }

  function axis(style, given) {
    var line = style.getPropertyValue("--line").trim(), ink = style.getPropertyValue("--ink-3").trim();
    return Object.assign({ axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: ink, fontSize: 11, hideOverlap: true }, splitLine: { lineStyle: { color: line, opacity: .6 } }, nameTextStyle: { color: ink } }, given);
  }

  function percents(option) { // {"percent": true} on an axis writes 0.93 as 93%
    [].concat(option.yAxis || [], option.xAxis || []).forEach(function (a) { if (a.percent) a.axisLabel = Object.assign({}, a.axisLabel, { formatter: function (v) { return Math.round(v * 1000) / 10 + "%"; } }); });
    (option.series || []).forEach(function (s) { if (s.percent) s.tooltip = { valueFormatter: function (v) { return v === null || v === undefined || isNaN(v) ? "—" : (Math.round(v * 1000) / 10) + "%"; } }; });
  }

  function draw(box) {
    var island = document.getElementById(box.dataset.picture), style = getComputedStyle(document.documentElement);
    if (!island) return;
    var option = tinted(JSON.parse(island.textContent), style), ink = style.getPropertyValue("--ink-2").trim();
    var chart = echarts.getInstanceByDom(box) || echarts.init(box, null, { renderer: "canvas" });
    ["xAxis", "yAxis"].forEach(function (name) { if (option[name]) option[name] = [].concat(option[name]).map(function (a) { return axis(style, a); }); });
    percents(option);
    chart.setOption(Object.assign({
      animationDuration: 300, aria: { enabled: true }, textStyle: { fontFamily: style.getPropertyValue("--font") },
      grid: { left: 8, right: 12, top: 28, bottom: 4, containLabel: true },
      color: tinted(["--accent", "--good", "--warn", "--bad", "--info", "--ink-3"], style)
    }, option, {
      legend: option.legend && Object.assign({ top: 0, right: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: ink, fontSize: 11 } }, option.legend),
      tooltip: Object.assign({ trigger: "axis", renderMode: "richText", confine: true, backgroundColor: style.getPropertyValue("--paper").trim(), borderColor: style.getPropertyValue("--line").trim(), textStyle: { color: style.getPropertyValue("--ink").trim(), fontSize: 12 } }, option.tooltip, { renderMode: "richText" })
    }), true);
    if (drawn.indexOf(chart) < 0) drawn.push(chart);
  }

  function all() { if (window.echarts) document.querySelectorAll("[data-picture]").forEach(draw); }
  all();
  document.addEventListener("hs:theme", all);
  document.addEventListener("htmx:afterSettle", all);
  addEventListener("resize", function () { drawn.forEach(function (c) { c.resize(); }); });
})();
