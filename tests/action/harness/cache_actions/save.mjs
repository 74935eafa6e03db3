// What actions/cache/save does with its inputs. Trouble is a warning, as there.
import { isFeatureAvailable, saveCache } from "@actions/cache";
import * as core from "@actions/core";

const paths = core.getMultilineInput("path", { required: true });
const key = core.getInput("key", { required: true });
try {
  if (!isFeatureAvailable()) throw new Error("There is no cache service here");
  const crossOs = core.getBooleanInput("enableCrossOsArchive");
  const id = await saveCache(paths, key, undefined, crossOs);
  if (id !== -1) core.info(`Cache saved with key: ${key}`);
} catch (error) {
  core.warning(error.message);
}
