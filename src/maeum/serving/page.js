(() => {
  const LANGUAGES = /*LANGUAGES*/[];
  const WORDS = /*WORDS*/[];  // each in every language, in the order of LANGUAGES
  const LOCALES = /*LOCALES*/null;
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("maeum-language"); } catch { return null; } };
  const preferred = () => {
    const own = (navigator.languages || []).map((one) => one.slice(0, 2)).find((one) => LANGUAGES.includes(one));
    return own || LANGUAGES[0];
  };
  let wanted = LANGUAGES.includes(kept()) ? kept() : preferred();

  async function speak(language) {
    wanted = language;
    root.lang = language;
    for (const button of document.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    if (LOCALES) (await import(new URL(LOCALES, document.baseURI))).changeLocale(language);
    requestAnimationFrame(() => { translate(); root.dataset.ready = ""; });
  }

  // Gradio says its labels anew; what it said when it drew a button or a tab it leaves as it is.
  function translate() {
    const at = LANGUAGES.indexOf(wanted);
    const other = new Map(WORDS.flatMap((word) => word.map((one) => [one, word[at]])));
    const anew = (said) => other.get(said.trim());
    const inside = document.querySelectorAll("[role=tab], .tab-container button, .audio-container, .block button, .block label");
    for (const part of inside) {
      const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
      for (let text; (text = texts.nextNode()); )
        if (anew(text.nodeValue) && anew(text.nodeValue) !== text.nodeValue.trim()) text.nodeValue = anew(text.nodeValue);
      for (const one of [part, ...part.querySelectorAll("[aria-label], [title]")])
        for (const name of ["aria-label", "title"])
          if (one.hasAttribute(name) && anew(one.getAttribute(name))) one.setAttribute(name, anew(one.getAttribute(name)));
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-language]");
    if (!button) return;
    try { localStorage.setItem("maeum-language", button.dataset.language); } catch { /* not kept */ }
    speak(button.dataset.language);
  });

  // A voice as it is: browsers even out its loudness, which tells of emotions.
  const devices = navigator.mediaDevices;
  const asItIs = { autoGainControl: false, noiseSuppression: false, echoCancellation: false };
  if (devices?.getUserMedia) {
    const usual = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wanted) => usual(wanted?.audio
      ? { ...wanted, audio: { ...(wanted.audio === true ? {} : wanted.audio), ...asItIs } } : wanted);
  }

  // What is new is said once, in a few words and in the language that is shown.
  const voice = Object.assign(document.createElement("div"), { className: "m-hidden", id: "m-said" });
  voice.setAttribute("role", "status");
  voice.setAttribute("aria-live", "polite");
  const said = new WeakSet();
  let later = 0;
  const tidy = () => {
    for (const one of document.querySelectorAll("[data-announce]")) {
      if (said.has(one)) continue;
      said.add(one);
      const own = one.querySelector(`.in-${wanted}`);
      const rest = [...one.querySelectorAll(":scope > span:not(.in-ko):not(.in-en)")];
      const place = one.closest("#m-answer, #m-course");
      if (place && place.getBoundingClientRect().top > innerHeight * 0.7 && !one.closest(".m-idle"))
        place.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      voice.textContent = [own || one, ...rest].map((part) => part.textContent.trim()).join(". ");
    }
    clearTimeout(later);
    later = setTimeout(translate, 60);
    for (const button of document.querySelectorAll("[data-language]:not([data-known])")) {
      button.dataset.known = "";
      speak(wanted);
    }
  };
  root.lang = wanted;
  const begin = () => {
    document.body.append(voice);
    new MutationObserver(tidy).observe(document.body, { childList: true, subtree: true });
    tidy();
  };
  document.body ? begin() : addEventListener("DOMContentLoaded", begin);
})();
