// `${{ … }}` by GitHub's own package, and stricter where GitHub says nothing: an input, a step
// or an output that nobody declared is an error here and an empty string there.
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

const STATUS = ["success", "failure", "always", "cancelled"];
const FUNCTIONS = STATUS.map((name) => ({ name, minArgs: 0, maxArgs: 0 }));

/** What expressions see: contexts as plain objects, and whether a step has failed. */
export class Scope {
  constructor(contexts, declared) {
    this.contexts = contexts;
    this.declared = declared;
    this.failed = false;
  }

  /** Whether a step with this `if:` runs; without a status function, only after success. */
  admits(condition) {
    const text = String(condition ?? "success()").trim();
    const whole = /^\$\{\{([\s\S]*)\}\}$/.exec(text);
    if (!whole && text.includes("${{")) {
      throw new Error(`if: '${text}' mixes text and an expression: GitHub takes it as always true`);
    }
    const source = whole ? whole[1] : text;
    const asks = [...calls(parse(source, this.contexts))].some((name) => STATUS.includes(name));
    const holds = this.evaluate(`!!(${source})`).coerceString() === "true";
    return holds && (asks || !this.failed);
  }

  /** A text with its expressions replaced. */
  fill(template) {
    let out = "";
    let rest = String(template ?? "");
    for (let at = rest.indexOf("${{"); at >= 0; at = rest.indexOf("${{")) {
      const end = endOf(rest, at + 3);
      out += rest.slice(0, at) + this.evaluate(rest.slice(at + 3, end)).coerceString();
      rest = rest.slice(end + 2);
    }
    return out + rest;
  }

  fillAll(templates = {}) {
    return Object.fromEntries(Object.entries(templates).map(([k, v]) => [k, this.fill(v)]));
  }

  evaluate(source) {
    const tree = parse(source, this.contexts);
    for (const path of accesses(tree)) this.check(path, source);
    const status = new Map(
      Object.entries({
        success: () => !this.failed,
        failure: () => this.failed,
        always: () => true,
        cancelled: () => false,
      }).map(([name, says]) => [name, { name, call: () => new data.BooleanData(says()) }]),
    );
    return new Evaluator(tree, toData(this.contexts), status).evaluate();
  }

  check([context, name, part, output], source) {
    const known = this.declared[context];
    if (!known || name === undefined) return;
    if (!(name in known)) throw new Error(`${source.trim()}: no ${context}.${name} is declared`);
    if (context !== "steps" || part === undefined) return;
    if (!["outputs", "outcome", "conclusion"].includes(part)) {
      throw new Error(`${source.trim()}: a step has no '${part}'`);
    }
    // A nested action declares its outputs; a script has those that it wrote.
    const ran = this.contexts.steps[name];
    const written = ran?.outcome === "success" ? Object.keys(ran.outputs) : undefined;
    const outputs = known[name] ?? written;
    if (output !== undefined && outputs && !outputs.includes(output)) {
      throw new Error(`${source.trim()}: step ${name} has no output '${output}'`);
    }
  }
}

function parse(source, contexts) {
  return new Parser(new Lexer(source).lex().tokens, Object.keys(contexts), FUNCTIONS).parse();
}

// Where `}}` ends an expression: not inside a 'quoted string'.
function endOf(text, from) {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "'") quoted = !quoted;
    if (!quoted && text.startsWith("}}", at)) return at;
  }
  throw new Error(`no }} ends the expression in '${text}'`);
}

function* nodes(tree) {
  if (tree === null || typeof tree !== "object") return;
  yield tree;
  for (const part of Object.values(tree)) {
    for (const node of Array.isArray(part) ? part : [part]) yield* nodes(node);
  }
}

function* calls(tree) {
  for (const node of nodes(tree)) if (node.functionName) yield node.functionName.lexeme.toLowerCase();
}

// steps.keys.outputs.key -> ["steps", "keys", "outputs", "key"]
function* accesses(tree) {
  for (const node of nodes(tree)) {
    const path = pathOf(node);
    if (path && path.length > 1) yield path;
  }
}

function pathOf(node) {
  if (node.name?.lexeme !== undefined) return [node.name.lexeme];
  if (!node.index || !node.expr) return undefined;
  const before = pathOf(node.expr);
  const literal = node.index.literal;
  return before && literal ? [...before, literal.coerceString()] : undefined;
}

function toData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const pairs = Object.entries(value).map(([key, part]) => ({ key, value: toData(part) }));
  return new data.Dictionary(...pairs);
}
