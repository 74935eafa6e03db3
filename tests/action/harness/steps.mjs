// Runs one list of steps: `run` by bash, `uses` by node or, if composite, by this file again.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { assignments, heard, variables } from "./commands.mjs";
import { Scope } from "./expressions.mjs";

const STEP_KEYS = ["name", "id", "if", "env", "run", "shell", "working-directory", "uses", "with", "continue-on-error"];
const FILES = ["OUTPUT", "ENV", "PATH", "STATE", "STEP_SUMMARY"];

/** Run steps in a scope; the records go to the job. Says whether all succeeded. */
export function runSteps(steps, scope, job, folder) {
  for (const [at, step] of steps.entries()) {
    const record = { id: step.id ?? "", name: step.name ?? step.uses ?? "", depth: job.depth };
    job.steps.push(record);
    runStep(step, scope, job, { folder, record });
    if (step.id) {
      const { outputs = {}, outcome, conclusion } = record;
      scope.contexts.steps[step.id] = { outputs, outcome, conclusion };
    }
    if (record.conclusion === "failure") scope.failed = true;
    const odd = Object.keys(step).filter((key) => !STEP_KEYS.includes(key));
    if (odd.length) throw new Error(`step ${step.id ?? at}: this runner knows no '${odd[0]}:'`);
  }
  return !scope.failed;
}

function runStep(step, scope, job, { folder, record }) {
  scope.contexts.env = { ...job.env };
  if (!scope.admits(step.if)) {
    Object.assign(record, { outcome: "skipped", conclusion: "skipped" });
    return;
  }
  const env = scope.fillAll(step.env);
  Object.assign(scope.contexts.env, env);
  const ran = step.uses ? uses(step, scope, job, env) : shell(step, scope, job, { env, folder });
  record.outputs = ran.outputs;
  record.outcome = ran.ok ? "success" : "failure";
  record.conclusion = ran.ok || scope.fill(step["continue-on-error"]) === "true" ? "success" : "failure";
}

function shell(step, scope, job, { env, folder }) {
  if (step.shell !== "bash") throw new Error(`step ${step.id}: shell: '${step.shell}', not bash`);
  const script = path.join(mkdtempSync(path.join(job.temp, "step-")), "script.sh");
  writeFileSync(script, scope.fill(step.run));
  const where = path.resolve(job.workspace, scope.fill(step["working-directory"]));
  const own = folder ? { ...env, GITHUB_ACTION_PATH: folder } : env;
  return launch(job, ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], where, own);
}

function uses(step, scope, job, env) {
  const name = step.uses.split("@")[0];
  const folder = job.actions[name];
  if (!folder) throw new Error(`uses: ${step.uses}: this job knows no such action`);
  const action = parse(readFileSync(path.join(folder, "action.yml"), "utf8"));
  const given = scope.fillAll(step.with);
  const inputs = accepted(action, given, scope, job);
  if (action.runs.using === "composite") return composite(action, inputs, job, folder);
  if (!/^node\d+$/.test(action.runs.using)) throw new Error(`no runner for ${action.runs.using}`);
  if (action.runs.pre || action.runs.post) throw new Error("this runner runs no pre and post steps");
  const words = Object.entries(inputs).map(([key, value]) => [`INPUT_${key.replaceAll(" ", "_").toUpperCase()}`, value]);
  const main = path.join(folder, action.runs.main);
  const own = { ...env, ...Object.fromEntries(words), ...job.runtime, GITHUB_ACTION_PATH: "" };
  return launch(job, [process.execPath, main], job.workspace, own);
}

// Names of inputs are the same in any case.
function accepted(action, given, scope, job) {
  const known = Object.keys(action.inputs ?? {});
  const said = Object.fromEntries(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value]));
  const lower = known.map((key) => key.toLowerCase());
  const odd = Object.keys(given).filter((key) => !lower.includes(key.toLowerCase()));
  if (odd.length) {
    const message = `Unexpected input(s) '${odd.join("', '")}', valid inputs are ['${known.join("', '")}']`;
    job.annotations.push({ level: "warning", message });
  }
  const value = (key) => said[key.toLowerCase()] ?? scope.fill(action.inputs[key]?.default);
  return Object.fromEntries(known.map((key) => [key, value(key)]));
}

function composite(action, inputs, job, folder) {
  const ids = action.runs.steps.filter(({ id }) => id).map((step) => [step.id, outputsOf(step, job)]);
  if (new Set(ids.map(([id]) => id)).size < ids.length) throw new Error("two steps share one id");
  const declared = { inputs, steps: Object.fromEntries(ids) };
  const contexts = { github: { ...job.github, action_path: folder }, inputs, steps: {}, env: {}, runner: job.runner, job: {} };
  const scope = new Scope(contexts, declared);
  job.depth += 1;
  const ok = runSteps(action.runs.steps, scope, job, folder);
  job.depth -= 1;
  const outputs = Object.entries(action.outputs ?? {}).map(([key, { value }]) => [key, scope.fill(value)]);
  return { ok, outputs: Object.fromEntries(outputs) };
}

// What a nested action declares; a script says its outputs only when it runs.
function outputsOf(step, job) {
  const folder = step.uses && job.actions[step.uses.split("@")[0]];
  if (!folder) return null;
  return Object.keys(parse(readFileSync(path.join(folder, "action.yml"), "utf8")).outputs ?? {});
}

function launch(job, [program, ...words], cwd, own) {
  const folder = mkdtempSync(path.join(job.temp, "files-"));
  const files = Object.fromEntries(FILES.map((name) => [`GITHUB_${name}`, path.join(folder, name)]));
  for (const file of Object.values(files)) writeFileSync(file, "");
  mkdirSync(cwd, { recursive: true });
  const log = openSync(path.join(folder, "log"), "w");
  const env = { ...job.environ, ...job.env, ...job.defaults, ...own, ...files };
  const { status, error } = spawnSync(program, words, { cwd, env, stdio: ["ignore", log, log] });
  closeSync(log);
  if (error) throw error;
  const text = readFileSync(path.join(folder, "log"), "utf8");
  const said = heard(text);
  job.log += text;
  job.masks.push(...said.masks);
  job.annotations.push(...said.annotations);
  job.commands.push(...said.commands);
  return taken(files, status === 0, job);
}

function taken(files, ok, job) {
  try {
    const outputs = assignments(files.GITHUB_OUTPUT);
    Object.assign(job.env, variables(files.GITHUB_ENV));
    if (readFileSync(files.GITHUB_PATH, "utf8")) throw new Error("this runner takes no GITHUB_PATH");
    const summary = readFileSync(files.GITHUB_STEP_SUMMARY, "utf8");
    if (summary) job.summaries.push(summary);
    return { ok, outputs };
  } catch (error) {
    job.annotations.push({ level: "error", message: `Unable to process file command: ${error.message}` });
    return { ok: false, outputs: {} };
  }
}
