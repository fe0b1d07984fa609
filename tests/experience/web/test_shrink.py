"""Scripts made small keep what others see of them: strings, properties, keys, globals."""

from experience.web.shrink import shrink


def test_variables_are_cut_and_everything_with_another_meaning_keeps_its_letters() -> None:
    source = """
    (function () { // said once
      "use strict";
      var counted = 0, holder = { shape: 1 };
      function addUp(amount) { counted = counted + amount; holder.shape = "amount"; return document.title; }
      addUp(2);
    })();
    """
    assert shrink(source) == (
        '(function(){"use strict";var a=0,d={shape:1};'
        'function b(c){a=a+c;d.shape="amount";return document.title;}\nb(2);})();'
    )


def test_a_name_that_is_also_a_property_is_left_alone() -> None:
    assert (
        shrink("(function(){var state=1;window.state=state;})();") == "(function(){var state=1;window.state=state;})();"
    )


def test_words_in_strings_and_regular_expressions_are_not_names() -> None:
    small = shrink("""(function(){var wanted=/wanted|["']x/g,zero='wanted';return [wanted,zero];})();""")
    assert small == """(function(){var a=/wanted|["']x/g,b='wanted';return[a,b];})();"""


def test_a_short_name_never_takes_the_place_of_one_that_is_used() -> None:
    small = shrink("(function(){var first=1,a=2,b=3;return first+a+b;})();")
    assert small == "(function(){var c=1,a=2,b=3;return c+a+b;})();"


def test_a_method_called_catch_declares_nothing() -> None:
    small = shrink("(function(){asked.catch(function(failed){told(failed);});try{x();}catch(wrong){told(wrong);}})();")
    assert small == "(function(){asked.catch(function(a){told(a);});try{x();}catch(b){told(b);}})();"
