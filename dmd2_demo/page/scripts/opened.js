// Which of the shown pictures is opened, counted from 0; the first where none is. Gradio's gallery tells when one is
// opened, and not always when another is or none any more.
window.dmd2Opened = () => Math.max(0, [...document.querySelectorAll('.pictures .preview .thumbnail-item')]
  .findIndex((one) => one.classList.contains('selected')));
