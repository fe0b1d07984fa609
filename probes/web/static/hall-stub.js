// The queue stub a host page carries, so that calls made before the probe has loaded are not lost.
window.hs = window.hs || function () { (window.hs.q = window.hs.q || []).push(arguments); };
