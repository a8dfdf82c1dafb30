# Makes this folder from a text (corpus.txt): sentencepiece 0.2.1, transformers 5.24.0, protobuf.
import json, os, shutil, sentencepiece as spm
from transformers import T5TokenizerFast, LlamaTokenizerFast

common = dict(input='corpus.txt', character_coverage=0.98, hard_vocab_limit=False, normalization_rule_name='identity')
spm.SentencePieceTrainer.train(model_prefix='t5', vocab_size=300, model_type='unigram', pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **common)
spm.SentencePieceTrainer.train(model_prefix='llama', vocab_size=600, model_type='bpe', byte_fallback=True, remove_extra_whitespaces=False,
                               split_digits=True, allow_whitespace_only_pieces=True, unk_id=0, bos_id=1, eos_id=2, **common)
texts = json.load(open('texts.json'))
for name, model, library in [('t5', 'spiece.model', T5TokenizerFast), ('llama', 'tokenizer.model', LlamaTokenizerFast)]:
    os.makedirs('src', exist_ok=True)
    shutil.copy(name + '.model', 'src/' + model)
    library.from_pretrained('src').save_pretrained(name)
    shutil.rmtree('src')
    ids = spm.SentencePieceProcessor(model_file=name + '.model')
    json.dump([{'text': text, 'ids': ids.encode(text)} for text in texts], open(name + '/cases.json', 'w'), ensure_ascii=False)
    shutil.copy(name + '.model', f'{name}/{model}.reference')
