// The subset of Bootstrap Italia's stylesheet that the pages of the site use. Words of templates, of scripts and of the Python that names a class
// count as classes. `safelist` has those that a template puts together ("btn-{{ kind }}"), and the small ones that a page may need tomorrow.
const folders = ["services", "enrolment", "grouping", "sessions", "notifications", "analytics"];
module.exports = {
  css: ["ops/assets/node_modules/bootstrap-italia/dist/css/bootstrap-italia.min.css"],
  content: folders.map((each) => `${each}/**/*.html`).concat("services/web/frame/static/*.js"),
  // A word with a dot or a colon is no class here.
  defaultExtractor: (content) => content.match(/[A-Za-z][\w-]*/g) || [],
  safelist: {
    standard: [
      /^btn(-outline)?(-[a-z]+)?$/,
      /^alert(-[a-z]+)?$/,
      /^[mp][tbsexy]?-[0-5]$/,
      /^h[1-6]$/,
      /^table(-sm|-striped|-responsive)?$/,
      /^(lead|small|text-muted|text-end|text-nowrap|visually-hidden|visually-hidden-focusable|d-none|d-block|d-flex|d-grid|d-print-none|list-unstyled|badge|card|row|col|container)$/,
    ],
  },
  keyframes: true,
};
