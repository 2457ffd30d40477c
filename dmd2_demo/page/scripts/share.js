// Text to the clipboard, which pages that came without https may only reach in the old way.
window.dmd2Share = {
  copy: async (text) => {
    if (!text) return;
    if (navigator.clipboard) return void (await navigator.clipboard.writeText(text).catch(() => {}));
    const box = document.createElement('textarea');
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  },
  address: () => location.origin + location.pathname,
};
