// node lint.mjs FILE…: GitHub's own parser over actions (what has `runs:`) and workflows. Exit 1: findings.
import { readFileSync } from "node:fs";
import { register } from "node:module";

register("./json_modules.mjs", import.meta.url);
const { NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

let findings = 0;
for (const name of process.argv.slice(2)) {
  const file = { name, content: readFileSync(name, "utf8") };
  const parse = /^runs:/m.test(file.content) ? parseAction : parseWorkflow;
  const { context } = parse(file, new NoOperationTraceWriter());
  for (const error of context.errors.getErrors()) {
    console.log(`${name}: ${error.message}`);
    findings += 1;
  }
}
console.log(`${findings} findings in ${process.argv.length - 2} files`);
process.exitCode = findings ? 1 : 0;
