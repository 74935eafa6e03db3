// A loader: @actions/workflow-parser imports .json without the words node asks for.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  const source = `export default ${await readFile(fileURLToPath(url), "utf8")}`;
  return { format: "module", source, shortCircuit: true };
}
