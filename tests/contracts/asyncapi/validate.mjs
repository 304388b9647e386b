// Whether each document named is valid AsyncAPI: prints the errors and warnings of the AsyncAPI initiative's own parser.
// Exit status: 0 all are valid, 1 there is an error in any of them.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const severities = ["error", "warning"]; // what follows them (information, hints) is taste
const parser = new Parser();
let broken = process.argv.length < 3;
if (broken) console.error("usage: node validate.mjs DOCUMENT...");

for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(file, "utf8"), { source: file });
  for (const { severity, code, message, path, range } of diagnostics) {
    if (severity >= severities.length) continue;
    const place = `${file}:${range.start.line + 1}:${range.start.character + 1}`;
    console.log(`${place}: ${severities[severity]} ${code} at ${path.join(".") || "the top"}: ${message}`);
  }
  const errors = diagnostics.filter(({ severity }) => severity === 0).length;
  console.log(`${file}: ${errors || !document ? `not valid, ${errors} errors` : "valid"}`);
  broken ||= errors > 0 || !document;
}
process.exit(broken ? 1 : 0);
