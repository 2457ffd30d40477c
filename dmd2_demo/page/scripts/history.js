// The strip of pictures that were made here. It is kept by this browser alone and no server sees it: what is in it may
// be of another version or of anybody's making, so each entry is checked, and shown as text and data URLs only.
// An array that is given to Gradio is one of its outputs' values. An entry: `id`, `thumb` (a data URL), `file` (the server's path), `settings`.
window.dmd2 = (() => {
  const MOST = 50;
  const SIDE = 96;
  const MOST_SETTINGS = 20000; // letters
  const THUMB = /^data:image\/(webp|png);base64,[A-Za-z0-9+/=]{1,40000}$/;
  let chosen = null;
  let pairing = null;
  let neighbour = null; // of one that was deleted: it gets the focus
  let wanted = null; // the entry that "Make again" is pressed for
  let remaking = null; // the one that it makes
  const ours = new Set(); // files that this visit was given; the server takes others from nobody
  const channel = () => {
    try {
      return new BroadcastChannel('dmd2-history');
    } catch {
      return null; // it may be refused where storage is
    }
  };
  const tabs = channel(); // each tab writes the whole history: they tell each other
  let newest = null; // since it changed, here or in another tab: what an event was given may be older
  tabs?.addEventListener('message', ({ data }) => {
    newest = kept(JSON.parse(data));
    press('hear');
  });

  const isSettings = (told) => told && typeof told === 'object' && JSON.stringify(told).length <= MOST_SETTINGS;
  const isEntry = (entry) =>
    entry && /^[\w-]{1,40}$/.test(entry.id) && THUMB.test(entry.thumb) &&
    typeof entry.file === 'string' && isSettings(entry.settings);
  const kept = (history) => (Array.isArray(history) ? history : []).filter(isEntry).slice(0, MOST);
  const latest = (history) => newest ?? kept(history);
  const changed = (history) => {
    newest = kept(history);
    tabs?.postMessage(JSON.stringify(newest)); // proxies of Gradio's can't be sent as they are
    return [newest];
  };
  const find = (history, id) => latest(history).find((entry) => entry.id === id);

  const address = (file) => `${window.gradio_config.root}/gradio_api/file=${file}`;
  const shown = (place, path) => ({
    path, url: place, orig_name: path.split('/').pop(), mime_type: null, size: null, is_stream: false,
    meta: { _type: 'gradio.FileData' },
  });
  // Where the server has the file no longer, its thumbnail stands in until it is made again.
  const fileOf = (entry, there) =>
    there ? shown(address(entry.file), entry.file) : { ...shown(entry.thumb, 'thumbnail'), path: entry.thumb };
  const claimed = async (entry) => {
    if (ours.has(entry.file)) return entry;
    const form = new FormData();
    form.append('files', await (await fetch(address(entry.file))).blob(), entry.file.split('/').pop());
    const sent = await fetch(`${window.gradio_config.root}/gradio_api/upload`, { method: 'POST', body: form });
    if (!sent.ok) return entry;
    const [file] = await sent.json();
    ours.add(file);
    return { ...entry, file };
  };
  const isThere = (entry) => fetch(address(entry.file), { method: 'HEAD' }).then((got) => got.ok, () => false);

  const thumbnail = async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL('image/webp', 0.8);
  };

  const record = async (gallery, parameters, history) => {
    const { images, pictures, notices, weights, seconds, prompt_understood, ...settings } = parameters ?? {};
    if (gallery?.length === 1) settings.seconds = seconds; // else it is the time of all
    // Also after Stop or an error: what is new has pictures of its own in its parameters, and files not met before.
    const told = (pictures ?? []).map((own, number) => ({ own, image: gallery?.[number]?.image }));
    const fresh = told.filter(({ image }) => image && !ours.has(image.path));
    fresh.forEach(({ image }) => ours.add(image.path));
    const before = chosen;
    const drawn = await Promise.allSettled(fresh.map(async ({ own, image }) => ({
      id: crypto.getRandomValues(new Uint32Array(3)).join('-'),
      thumb: await thumbnail(image.url),
      file: image.path,
      settings: { ...settings, ...own },
    })));
    // What could not be drawn is tried again where it is met again.
    drawn.forEach(({ status }, number) => status === 'rejected' && ours.delete(fresh[number].image.path));
    const made = drawn.flatMap(({ value }) => value ?? []);
    if (chosen === before) chosen = made[0]?.id ?? chosen; // else another was clicked meanwhile, and is shown
    return made.length ? changed([...made, ...latest(history)]) : [latest(history)];
  };

  const label = ({ settings }) => `${settings.prompt}, seed ${settings.seed}, steps ${settings.steps}`;
  const render = (history) => {
    const strip = document.querySelector('#history ul');
    if (!strip) return;
    const entries = latest(history);
    if (!entries.some(({ id }) => id === pairing)) pairing = null;
    const focused = neighbour ?? document.activeElement?.dataset.entry;
    neighbour = null;
    strip.replaceChildren(...entries.map((entry) => {
      const button = document.createElement('button');
      const image = document.createElement('img');
      const item = document.createElement('li');
      image.src = entry.thumb;
      image.alt = button.title = label(entry);
      button.type = 'button';
      button.dataset.entry = entry.id;
      button.setAttribute('aria-pressed', entry.id === chosen);
      button.classList.toggle('paired', entry.id === pairing);
      button.addEventListener('click', () => {
        chosen = entry.id;
        press('choose');
      });
      button.append(image);
      item.append(button);
      return item;
    }));
    if (focused) strip.querySelector(`[data-entry="${focused}"]`)?.focus();
    const told = pairing ? 'Now the other one:' : '';
    const status = strip.previousElementSibling;
    if (status.textContent !== told) status.textContent = told; // else it would be read out once more
    document.querySelector('#history').classList.toggle('empty', entries.length === 0);
  };
  const press = (name) => document.querySelector(`button.press-${name}`)?.click();

  // Gallery, seed, settings, the pair's settings, the pair's files; undefined leaves a place as it is.
  const choose = async (history) => {
    const nothing = Array(5).fill(undefined);
    const entry = find(history, chosen);
    if (!entry) return nothing;
    const there = await isThere(entry);
    if (chosen !== entry.id) return nothing; // another was chosen meanwhile
    const other = pairing !== chosen && find(history, pairing);
    let pair = [undefined, undefined];
    if (other) {
      pairing = null;
      const files = [fileOf(other, await isThere(other)), fileOf(entry, there)];
      pair = [[other.settings, entry.settings], files];
    }
    render(history);
    if (!there && !other) setTimeout(() => {
      wanted = entry;
      press('again');
    });
    const mine = there ? await claimed(entry) : entry;
    if (chosen !== entry.id) return nothing;
    return [[{ image: fileOf(mine, there), caption: null }], entry.settings.seed, entry.settings, ...pair];
  };
  // Runs for a press that begins something: while one is made again, Gradio skips the others.
  const startAgain = (_, ...rest) => {
    remaking = wanted;
    return [remaking.settings, ...rest];
  };
  const madeAgain = (gallery, parameters, history) => {
    if (chosen && chosen !== remaking.id) setTimeout(() => press('choose')); // it was clicked meanwhile
    // Others may be shown by now: those that were kept name no pictures, and new ones have seeds of their own.
    if (!gallery?.length || parameters?.pictures?.[0]?.seed !== remaking.settings.seed) return [latest(history)];
    const file = gallery[0].image.path;
    ours.add(file);
    return changed(latest(history).map((entry) => (entry.id === remaking.id ? { ...entry, file } : entry)));
  };
  const unchoose = (history) => {
    chosen = null;
    render(history);
  };
  const startPair = (history) => {
    pairing = pairing === chosen ? null : chosen;
    render(history);
  };
  const remove = (history) => {
    const before = latest(history);
    const left = before.filter((entry) => entry.id !== chosen);
    const place = before.findIndex((entry) => entry.id === chosen);
    neighbour = left[Math.min(place, left.length - 1)]?.id;
    chosen = null;
    return changed(left);
  };

  // Without compression, which pictures have already: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
  const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte;
  });
  const crc32 = (bytes) => ~bytes.reduce((crc, byte) => (crc >>> 8) ^ CRC[(crc ^ byte) & 255], -1) >>> 0;
  const packed = (...fields) => { // of [bytes, value]
    const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
    let at = 0;
    for (const [bytes, value] of fields) {
      bytes === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true);
      at += bytes;
    }
    return new Uint8Array(view.buffer);
  };
  const zip = (files) => {
    const body = [];
    const directory = [];
    let offset = 0;
    for (const [name, bytes] of files) {
      const letters = new TextEncoder().encode(name);
      // Version, flags, method, time and date (the first that can be told), checksum, sizes, lengths of name and extra.
      const about = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, crc32(bytes)], [4, bytes.length],
        [4, bytes.length], [2, letters.length], [2, 0]];
      const head = packed([4, 0x04034b50], ...about);
      body.push(head, letters, bytes);
      directory.push(packed([4, 0x02014b50], [2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), letters);
      offset += head.length + letters.length + bytes.length;
    }
    const size = directory.reduce((sum, part) => sum + part.length, 0);
    const end = packed([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset],
      [2, 0]);
    return new Blob([...body, ...directory, end], { type: 'application/zip' });
  };
  const download = async (history) => {
    const entries = latest(history);
    const told = entries.map(({ settings }) => settings);
    const files = [['settings.json', new TextEncoder().encode(JSON.stringify(told, null, 1))]];
    for (const [number, entry] of entries.entries()) {
      const got = await fetch(address(entry.file)).catch(() => null);
      const gone = !got?.ok;
      const content = gone ? await (await fetch(entry.thumb)).blob() : await got.blob();
      const ending = gone ? 'thumbnail.webp' : entry.file.split('.').pop();
      files.push([`${number + 1}-${entry.settings.seed}.${ending}`, new Uint8Array(await content.arrayBuffer())]);
    }
    const link = document.createElement('a');
    link.href = URL.createObjectURL(zip(files));
    link.download = 'pictures.zip';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const hear = () => [newest];
  return { record, render, choose, unchoose, hear, startAgain, madeAgain, startPair, remove, download };
})();
