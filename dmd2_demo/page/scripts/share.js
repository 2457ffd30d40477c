// Text to the clipboard, which may only be reached in the old way: without https, or some time after the click.
window.dmd2Share = {
  copy: async (text) => {
    if (!text) return;
    const written = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (written) return;
    const box = document.createElement('textarea');
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  },
  address: () => location.origin + location.pathname,
};
