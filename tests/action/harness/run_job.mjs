// node run_job.mjs JOB.json RESULT.json: one job of a workflow, with what action.yml uses of it.
// JOB: workspace, temp, environ, runtime (for node actions alone), github, actions, steps, masks.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { masked } from "./commands.mjs";
import { Scope } from "./expressions.mjs";
import { runSteps } from "./steps.mjs";

function main([jobFile, resultFile]) {
  const asked = JSON.parse(readFileSync(jobFile, "utf8"));
  const job = started(asked);
  const contexts = { github: job.github, steps: {}, env: {}, runner: job.runner, job: {} };
  const scope = new Scope(contexts, {});
  let ok = false;
  try {
    ok = runSteps(asked.steps, scope, job);
  } catch (error) {
    job.annotations.push({ level: "error", message: `The action is not valid: ${error.message}` });
  }
  const { steps, env, annotations, commands, summaries, masks, log } = job;
  const result = { ok, steps, env, annotations, commands, summaries, log: masked(log, masks), unmasked: log };
  writeFileSync(resultFile, JSON.stringify(result, null, 1));
}

function started(asked) {
  const temp = path.resolve(asked.temp);
  mkdirSync(temp, { recursive: true });
  const event = path.join(temp, "event.json");
  writeFileSync(event, JSON.stringify(asked.github.event ?? {}));
  const github = { server_url: "https://github.com", workspace: asked.workspace, ...asked.github };
  const words = Object.entries(github).filter(([, value]) => typeof value !== "object");
  const runner = { os: "Linux", arch: "X64", temp };
  const defaults = {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_EVENT_PATH: event,
    ...Object.fromEntries(words.map(([key, value]) => [`GITHUB_${key.toUpperCase()}`, String(value)])),
    RUNNER_OS: runner.os,
    RUNNER_ARCH: runner.arch,
    RUNNER_TEMP: temp,
  };
  const { workspace, environ, runtime = {}, actions, masks = [] } = asked;
  return {
    workspace, environ, runtime, actions, temp, github, runner, defaults, masks: [...masks],
    env: {}, steps: [], annotations: [], commands: [], summaries: [], log: "", depth: 0,
  };
}

main(process.argv.slice(2));
