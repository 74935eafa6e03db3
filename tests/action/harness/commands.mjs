// What a step says to the runner: workflow commands in its log, and the files it is given.
import { readFileSync } from "node:fs";

const LEVELS = ["error", "warning", "notice"];

/** Annotations, masks and every command of a log, in order. */
export function heard(log) {
  const all = [];
  let stopped;
  for (const line of log.split(/\r?\n/)) {
    const said = /^\s*::([a-zA-Z][\w-]*)(?: ([^\n]*?))?::(.*)$/.exec(line);
    if (stopped !== undefined) {
      if (line.trim() === `::${stopped}::`) stopped = undefined;
      continue;
    }
    if (!said) continue;
    if (said[1] === "stop-commands") stopped = said[3];
    else all.push({ command: said[1], properties: properties(said[2]), message: unescaped(said[3]) });
  }
  return {
    commands: all,
    annotations: all
      .filter(({ command }) => LEVELS.includes(command))
      .map(({ command, properties: where, message }) => ({ level: command, ...where, message })),
    masks: all.filter(({ command }) => command === "add-mask").map(({ message }) => message),
  };
}

/** The log as people see it. */
export function masked(text, masks) {
  const secrets = masks.flatMap((mask) => mask.split(/\r?\n/)).filter((mask) => mask.trim());
  return secrets.reduce((left, secret) => left.replaceAll(secret, "***"), text);
}

/** NAME=value and NAME<<DELIMITER … DELIMITER, as in GITHUB_OUTPUT and GITHUB_ENV. */
export function assignments(file) {
  const found = {};
  const lines = readFileSync(file, "utf8").split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      found[named(line.slice(0, equals), line)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const delimiter = line.slice(heredoc + 2);
      const end = lines.indexOf(delimiter, at + 1);
      if (!delimiter || end < 0) throw new Error(`Matching delimiter not found '${delimiter}'`);
      found[named(line.slice(0, heredoc), line)] = lines.slice(at + 1, end).join("\n");
      at = end;
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return found;
}

/** Variables for later steps; those that are the runner's own are refused. */
export function variables(file) {
  const found = assignments(file);
  for (const name of Object.keys(found)) {
    if (/^(GITHUB_|RUNNER_)/i.test(name) || name.toUpperCase() === "NODE_OPTIONS") {
      throw new Error(`Can't store ${name} using '$GITHUB_ENV'`);
    }
  }
  return found;
}

function named(name, line) {
  if (!name) throw new Error(`Invalid format '${line}': name must not be empty`);
  return name;
}

function properties(text = "") {
  const pairs = text.split(",").filter((pair) => pair.includes("="));
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at).trim(), unescaped(pair.slice(at + 1)).replaceAll("%3A", ":").replaceAll("%2C", ",")];
    }),
  );
}

function unescaped(text) {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}
