// The theme starts Mermaid; this adds what lets a diagram fit the width of a phone in letters that can be read.
const { initialize } = mermaid;
mermaid.initialize = (config) =>
  initialize({
    ...config,
    fontSize: 14,
    themeVariables: { fontSize: "14px" },
    themeCSS: `${config.themeCSS} [id$=arrowhead] path { fill: var(--md-mermaid-sequence-message-line-color); }`,
    flowchart: { nodeSpacing: 16, rankSpacing: 32, padding: 10, wrappingWidth: 160, subGraphTitleMargin: { top: 4, bottom: 8 } },
    sequence: { width: 110, height: 40, actorMargin: 12, messageMargin: 28, diagramMarginX: 4, mirrorActors: false },
  });
