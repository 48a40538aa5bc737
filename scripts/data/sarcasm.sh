#!/usr/bin/env bash
# Sarcasm for bss.data.sarcasm: scripts/data/sarcasm.sh DATA_FOLDER
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
root="$parent/sarcasm"
mkdir -p "$root"
has_list=false
for list in train.txt train.txt.gz train_data.json annotations/train.txt annotations/train_data.json; do [ -s "$root/$list" ] && has_list=true; done
if ! $has_list || { [ ! -d "$root/dataset_image" ] && [ ! -d "$root/images" ]; }; then
  stop "download by hand into $root:
  train.txt, valid2.txt, test2.txt   https://github.com/headacheboy/data-of-multimodal-sarcasm-detection, text/ (29,040, 2,410 and 2,409 rows)
  dataset_image/                     the pictures, linked from the README of that repository
For pretrained encoders also bert-base-uncased (config.json, vocab.txt, model.safetensors: https://huggingface.co/bert-base-uncased)
and resnet50-0676ba61.pth (https://download.pytorch.org/models). Nothing has to be extracted."
fi
finish sarcasm
