// What actions/cache/restore does with its inputs. A miss leaves cache-hit empty, as there.
import { isFeatureAvailable, restoreCache } from "@actions/cache";
import * as core from "@actions/core";

const key = core.getInput("key", { required: true });

async function restore() {
  const matched = await restoreCache(
    core.getMultilineInput("path", { required: true }),
    key,
    core.getMultilineInput("restore-keys"),
    { lookupOnly: core.getBooleanInput("lookup-only") },
    core.getBooleanInput("enableCrossOsArchive"),
  );
  core.setOutput("cache-primary-key", key);
  if (matched !== undefined) {
    core.setOutput("cache-matched-key", matched);
    core.setOutput("cache-hit", String(matched === key));
    return;
  }
  core.info(`Cache not found for input key: ${key}`);
  if (core.getBooleanInput("fail-on-cache-miss")) core.setFailed("cache miss");
}

if (isFeatureAvailable()) {
  await restore();
} else {
  core.warning("There is no cache service here");
  core.setOutput("cache-hit", "false");
}
