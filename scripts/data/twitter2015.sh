#!/usr/bin/env bash
# Twitter2015 for bss.data.twitter2015: scripts/data/twitter2015.sh DATA_FOLDER
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/extract.sh"
root="$parent/twitter2015"
mkdir -p "$root"
if { [ ! -s "$root/train.tsv" ] && [ ! -s "$root/annotations/train.tsv" ]; } || [ ! -d "$root/twitter2015_images" ]; then
  stop "download by hand into $root:
  train.tsv, dev.tsv, test.tsv   https://github.com/jefferyYu/TomBERT, absa_data/twitter2015 (3,179, 1,122 and 1,037 rows)
  twitter2015_images/            the pictures, linked from the README of that repository (IJCAI2019_data)
For pretrained encoders also bert-base-uncased (config.json, vocab.txt, model.safetensors: https://huggingface.co/bert-base-uncased)
and resnet50-0676ba61.pth (https://download.pytorch.org/models). Nothing has to be extracted."
fi
finish twitter2015
