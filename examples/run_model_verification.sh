#!/usr/bin/env bash
# Have models' ONNX files ready, and measure them:
#
#     ./run_model_verification.sh                          # bert-base-uncased and t5-small
#     ./run_model_verification.sh MODEL...                 # others
#     POT_CACHE_DIR=/path/to/cache ./run_model_verification.sh
#
# Results go to ./verification_results, or to the folder that OUTPUT names. For gated and private
# models set HF_TOKEN; it goes to the hub and nowhere else.
set -euo pipefail

potmodels=${POTMODELS:-potmodels}
output=${OUTPUT:-verification_results}
models=("$@")
if [ ${#models[@]} -eq 0 ]; then
    models=(bert-base-uncased t5-small)
fi
mkdir -p "$output"

echo "== What the hub has"
for model in "${models[@]}"; do
    # Exit code 1 is a "no", and no failure: the file will be converted.
    "$potmodels" ensure --model "$model" --file-path model.onnx --check-exists || [ $? -eq 1 ]
    "$potmodels" ensure --model "$model" --get-metadata
done

echo "== One model"
"$potmodels" ensure --model "${models[0]}" --file-path model.onnx

echo "== All models, in parallel"
{
    separator='['
    for model in "${models[@]}"; do
        printf '%s{"model_id": "%s", "file_path": "model.onnx"}' "$separator" "$model"
        separator=', '
    done
    printf ']\n'
} >"$output/batch_models.json"
"$potmodels" ensure --batch --batch-file "$output/batch_models.json" \
    --output "$output/batch_results.json"

echo "== Benchmark"
printf '%s\n' "${models[@]}" >"$output/models.txt"
"$potmodels" benchmark --model-file "$output/models.txt" --file-path model.onnx \
    --runs "${RUNS:-30}" --rows "$output/benchmark_rows.jsonl"
"$potmodels" benchmark report "$output/benchmark_rows.jsonl"
