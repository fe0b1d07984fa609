/* The survey's logic as the browser sees it: surveys/conditions.py and surveys/logic.py answer the same for every
   vector in tests/data/survey_logic_vectors.json.gz. Pure: takes values, returns values, touches no page. */
var hsLogic = (function () {
  "use strict";
  var PIPE = /\{\{ *([a-z]+\.[A-Za-z0-9_.]+) *(?:\|([^{}]*))?\}\}/g;
  var PIPED_LENGTH = 100;

  function has(o, k) { return Object.prototype.hasOwnProperty.call(o, k); }
  function isNumber(v) { return typeof v === "number"; }
  function isObject(v) { return v !== null && typeof v === "object" && !Array.isArray(v); }

  function isEmpty(v) {
    if (v === null || v === undefined || v === "") return true;
    if (Array.isArray(v)) return v.length === 0;
    return isObject(v) && Object.keys(v).length === 0;
  }

  function same(a, b) {
    return typeof a === typeof b && (typeof a === "boolean" || isNumber(a) || typeof a === "string") && a === b;
  }

  function resolve(ref, facts) {
    var dot = ref.indexOf("."), values = facts[ref.slice(0, dot)] || {}, name = ref.slice(dot + 1);
    if (has(values, name)) return values[name];
    var inner = name.indexOf(".");
    var outer = inner < 0 ? name : name.slice(0, inner);
    var value = has(values, outer) ? values[outer] : null;
    var rest = inner < 0 ? "" : name.slice(inner + 1);
    return isObject(value) && has(value, rest) ? value[rest] : null;
  }

  function ordered(op, value, wanted) {
    if (op === "gt") return value > wanted;
    if (op === "gte") return value >= wanted;
    if (op === "lt") return value < wanted;
    if (op === "lte") return value <= wanted;
    return wanted[0] <= value && value <= wanted[1];
  }

  function includes(op, chosen, wanted) {
    function among(list, one) { return list.some(function (each) { return same(each, one); }); }
    if (op === "contains") return among(chosen, wanted);
    var found = wanted.map(function (one) { return among(chosen, one); });
    if (op === "includesAny") return found.indexOf(true) >= 0;
    return op === "includesAll" ? found.indexOf(false) < 0 : found.indexOf(true) < 0;
  }

  function compare(op, value, wanted) {
    if (op === "answered" || op === "empty") return isEmpty(value) === (op === "empty");
    if (op === "eq" || op === "ne") return same(value, wanted) === (op === "eq");
    if (op === "gt" || op === "gte" || op === "lt" || op === "lte" || op === "between") {
      return isNumber(value) && ordered(op, value, wanted);
    }
    if (op === "in") return wanted.some(function (one) { return same(value, one); });
    if (op === "contains" && typeof value === "string") return typeof wanted === "string" && value.indexOf(wanted) >= 0;
    return includes(op, Array.isArray(value) ? value : [value], wanted);
  }

  function holds(condition, facts) {
    if (condition === null || condition === undefined) return true;
    if (has(condition, "all")) return condition.all.every(function (one) { return holds(one, facts); });
    if (has(condition, "any")) return condition.any.some(function (one) { return holds(one, facts); });
    if (has(condition, "not")) return !holds(condition.not, facts);
    return compare(condition.op, resolve(condition.ref, facts), condition.value);
  }

  /* A number of 32 bits from the seed and a name: FNV-1a over UTF-8, then murmur's finish. */
  function chance(seed, name) {
    var bytes = unescape(encodeURIComponent(seed + ":" + name)), v = 0x811c9dc5, i;
    for (i = 0; i < bytes.length; i++) v = Math.imul(v ^ bytes.charCodeAt(i), 0x01000193);
    v = Math.imul(v ^ (v >>> 16), 0x85ebca6b);
    v = Math.imul(v ^ (v >>> 13), 0xc2b2ae35);
    return (v ^ (v >>> 16)) >>> 0;
  }

  function shuffled(names, seed, keepLast) {
    var cut = Math.max(names.length - (keepLast || 0), 0);
    var moved = names.slice(0, cut).map(function (name) { return [chance(seed, name), name]; });
    moved.sort(function (a, b) { return a[0] - b[0] || (a[1] < b[1] ? -1 : 1); });
    return moved.map(function (one) { return one[1]; }).concat(names.slice(cut));
  }

  function byId(list, id) { return list.filter(function (one) { return one.id === id; })[0]; }

  function orderedItems(block, seed) {
    if (!block.shuffle) return block.items;
    var names = block.items.map(function (item) { return item.id; });
    return shuffled(names, seed + ":" + block.id, 0).map(function (id) { return byId(block.items, id); });
  }

  function orderedOptions(item, seed) {
    var names = (item.options || []).map(function (option) { return option.id; });
    return item.shuffle ? shuffled(names, seed + ":" + item.id, item.shuffle.keepLast) : names;
  }

  function position(blocks, to, after) {
    for (var at = after + 1; at < blocks.length; at++) if (blocks[at].id === to) return at;
    return blocks.length;
  }

  /* The path these answers make: {items, ending, active}. */
  function walk(survey, answers, facts, seed) {
    var active = {}, shown = [], at = 0, known = Object.assign({}, facts, { a: active }), to, block;
    function look(item) {
      if (!holds(item.showIf, known)) return;
      shown.push(item.id);
      if (has(answers, item.id) && !isEmpty(answers[item.id])) active[item.id] = answers[item.id];
    }
    while (at < survey.blocks.length) {
      block = survey.blocks[at];
      to = undefined;
      if (holds(block.showIf, known)) {
        orderedItems(block, seed || "").forEach(look);
        to = (block.next || []).filter(function (jump) { return holds(jump["if"], known); })[0];
      }
      if (to && byId(survey.endings, to.to)) return { items: shown, ending: to.to, active: active };
      at = to ? position(survey.blocks, to.to, at) : at + 1;
    }
    var ends = survey.endings.filter(function (one) { return one.kind === "complete"; });
    return { items: shown, ending: (ends[0] || survey.endings[0]).id, active: active };
  }

  function inLanguage(text, lang, fallback) {
    if (!text) return "";
    return text[lang] || text[fallback || "zh-CN"] || text[Object.keys(text)[0]];
  }

  function number(v) {
    if (Math.abs(v) >= 1e15) return "";
    if (Math.trunc(v) === v) return String(Math.trunc(v) + 0);
    return Math.abs(v) >= 1e-4 ? String(v) : "";
  }

  function said(survey, ref, value, lang) {
    if (Array.isArray(value)) {
      return value.map(function (one) { return said(survey, ref, one, lang); }).filter(Boolean)
        .join(lang.slice(0, 2) === "zh" ? "、" : ", ");
    }
    if (isNumber(value)) return number(value);
    if (typeof value !== "string") return "";
    var item = null, name = ref.slice(2).split(".")[0];
    if (ref.slice(0, 2) === "a.") {
      survey.blocks.forEach(function (block) { item = item || byId(block.items, name); });
    }
    var option = item && byId(item.options || [], value);
    var words = (option && inLanguage(option.text, lang, survey.defaultLang)) || value;
    return Array.from(words).slice(0, PIPED_LENGTH).join("");
  }

  /* The wording with {{reference|fallback}} filled in. Plain text: set it as textContent. */
  function piped(survey, wording, facts, lang) {
    return wording.replace(PIPE, function (_, ref, fallback) {
      return said(survey, ref, resolve(ref, facts), lang) || fallback || "";
    });
  }

  return {
    holds: holds, walk: walk, piped: piped, isEmpty: isEmpty, inLanguage: inLanguage,
    orderedOptions: orderedOptions, chance: chance
  };
})();
