// Text to the clipboard, which may only be reached in the old way: without https, or some time after the click.
window.dmd2Share = (() => {
  const copied = async (text) => {
    const written = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (written) return true;
    const focused = document.activeElement;
    const box = document.createElement('textarea');
    box.value = text;
    document.body.append(box);
    box.select();
    const worked = document.execCommand('copy');
    box.remove();
    focused.focus();
    return worked;
  };
  const copy = async (text) => {
    if (!text) return;
    const line = document.querySelector('#copied');
    line.textContent = ''; // else the same words again would not be read out
    const worked = await copied(text);
    line.textContent = worked ? 'Copied.' : 'This browser does not let the page copy. Copy it from the box below.';
  };
  return { copy, address: () => location.origin + location.pathname };
})();
