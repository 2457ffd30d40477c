// Files into inputs for pictures, and from anywhere on the page into the panel that reads settings.
window.dmd2Files = (() => {
  const within = (place) => [...document.querySelectorAll(place)].find((found) => found.offsetParent);
  const giveUp = () => document.querySelector('button.not-given')?.click();
  // One with a picture takes another in its place. There is none while a file is on its way, nor for a clipboard: then
  // files are chosen as the source first, which empties it. One that is only laid out now is waited for.
  const give = (place, file, until = performance.now() + 5000) => {
    const input = within(place)?.querySelector('input[type=file]');
    if (!input) {
      within(place)?.querySelector('[aria-label="Upload file"]:not(.selected)')?.click();
      if (performance.now() < until) requestAnimationFrame(() => give(place, file, until));
      else giveUp();
      return;
    }
    const only = new DataTransfer();
    only.items.add(file);
    input.files = only.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    within(place).scrollIntoView({ block: 'nearest' });
  };
  const giveUrl = async (place, url) => {
    const got = await fetch(url).catch(() => null);
    if (!got?.ok) return giveUp();
    const content = await got.blob();
    give(place, new File([content], 'picture', { type: content.type }));
  };

  // Inputs for pictures take their own drops, and say so by preventing the browser's: opening the file in its place.
  const isOurs = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files') && !event.defaultPrevented;
  const mark = (on) => document.body.classList.toggle('dropping', on);
  document.addEventListener('dragover', (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    mark(true);
  });
  // Before inputs for pictures stop them on their way up.
  document.addEventListener('dragleave', (event) => event.relatedTarget || mark(false), true);
  document.addEventListener('drop', () => mark(false), true);
  document.addEventListener('drop', (event) => {
    if (!isOurs(event) || !event.dataTransfer.files.length) return;
    event.preventDefault();
    const opener = document.querySelector('#inspect button');
    if (!opener.classList.contains('open')) opener.click();
    const [file] = event.dataTransfer.files;
    give('#inspect', file);
  });
  return { giveUrl };
})();
