# The PyTorch side of the speed table: the model that stage1_torch.py times.
"""Q-Former stage 1 in plain PyTorch: the peer that blip2-train is measured against.

Parameter names are the public checkpoint's. Same work as the original: ITC pass over queries, text pass,
ITM over 3B pairs, ITG reusing the cached query keys/values. Attention is torch's fused SDPA.
"""
import torch, torch.nn as nn, torch.nn.functional as F


class SelfAttn(nn.Module):
    def __init__(s, width, heads, kv_width=None):
        super().__init__()
        s.heads = heads
        s.query, s.key, s.value = nn.Linear(width, width), nn.Linear(kv_width or width, width), nn.Linear(kv_width or width, width)

    def split(s, x): return x.unflatten(-1, (s.heads, -1)).transpose(1, 2)

    def forward(s, x, kv=None, mask=None, past=None, drop=0.0):
        kv = x if kv is None else kv
        k, v = s.split(s.key(kv)), s.split(s.value(kv))
        cache = (k, v)
        if past is not None: k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        o = F.scaled_dot_product_attention(s.split(s.query(x)), k, v, attn_mask=mask, dropout_p=drop)
        return o.transpose(1, 2).flatten(2), cache


class Out(nn.Module):
    def __init__(s, i, o, drop): super().__init__(); s.dense, s.LayerNorm, s.p = nn.Linear(i, o), nn.LayerNorm(o, eps=1e-12), drop
    def forward(s, x, res): return s.LayerNorm(F.dropout(s.dense(x), s.p, s.training) + res)


class Layer(nn.Module):
    def __init__(s, i, width, heads, ffn, vis, drop):
        super().__init__()
        s.p = drop
        s.attention = nn.ModuleDict({'self': SelfAttn(width, heads), 'output': Out(width, width, drop)})
        s.crossattention = nn.ModuleDict({'self': SelfAttn(width, heads, vis), 'output': Out(width, width, drop)}) if i % 2 == 0 else None
        s.intermediate, s.output = nn.Linear(width, ffn), Out(ffn, width, drop)
        s.intermediate_query, s.output_query = nn.Linear(width, ffn), Out(ffn, width, drop)

    def forward(s, x, nq, image, mask=None, past=None):
        a, cache = s.attention['self'](x, mask=mask, past=past, drop=s.p if s.training else 0.0)
        x = s.attention['output'](a, x)
        q, t = x[:, :nq], x[:, nq:]
        parts = []
        if nq:
            if s.crossattention is not None:
                c, _ = s.crossattention['self'](q, kv=image, drop=s.p if s.training else 0.0)
                q = s.crossattention['output'](c, q)
            parts.append(s.output_query(F.gelu(s.intermediate_query(q)), q))
        if t.shape[1]: parts.append(s.output(F.gelu(s.intermediate(t)), t))
        return (parts[0] if len(parts) == 1 else torch.cat(parts, 1)), cache


class StageOne(nn.Module):
    def __init__(s, width=768, layers=12, heads=12, ffn=3072, vocab=30523, queries=32, vis=1408, embed=256, positions=512, drop=0.1):
        super().__init__()
        s.nq, s.p = queries, drop
        s.ln_vision = nn.LayerNorm(vis)
        s.word, s.pos = nn.Embedding(vocab, width, padding_idx=0), nn.Embedding(positions, width)
        s.norm = nn.LayerNorm(width, eps=1e-12)
        s.layers = nn.ModuleList([Layer(i, width, heads, ffn, vis, drop) for i in range(layers)])
        s.query_tokens = nn.Parameter(torch.randn(1, queries, width) * 0.02)
        s.transform, s.transform_norm, s.bias = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12), nn.Parameter(torch.zeros(vocab))
        s.vision_proj, s.text_proj, s.itm_head = nn.Linear(width, embed), nn.Linear(width, embed), nn.Linear(width, 2)
        s.temp = nn.Parameter(torch.tensor(0.07))
        for m in s.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)): m.weight.data.normal_(0, 0.02)

    def encode(s, ids=None, queries=None, image=None, mask=None, past=None):
        parts = []
        if queries is not None: parts.append(queries)
        if ids is not None: parts.append(s.word(ids) + s.pos.weight[:ids.shape[1]])
        x = F.dropout(s.norm(torch.cat(parts, 1)), s.p, s.training)
        nq, caches = (0 if queries is None else queries.shape[1]), []
        for i, l in enumerate(s.layers):
            x, c = l(x, nq, image, mask, None if past is None else past[i])
            caches.append(c)
        return x, caches

    def forward(s, features, ids, mask, dec_id):
        B, T = ids.shape
        image = s.ln_vision(features)
        pad = torch.zeros(B, 1, 1, T).masked_fill(mask[:, None, None] == 0, -1e4)
        q, cache = s.encode(queries=s.query_tokens.expand(B, -1, -1), image=image)
        t, _ = s.encode(ids=ids, mask=pad)
        zi, zt = F.normalize(s.vision_proj(q).float(), dim=-1), F.normalize(s.text_proj(t[:, 0]).float(), dim=-1)
        i2t = torch.einsum('iqd,td->itq', zi, zt.detach()).amax(-1) / s.temp
        t2i = torch.einsum('td,iqd->tiq', zt, zi.detach()).amax(-1) / s.temp
        target = torch.arange(B)
        itc = (F.cross_entropy(i2t, target, label_smoothing=0.1) + F.cross_entropy(t2i, target, label_smoothing=0.1)) / 2
        with torch.no_grad():
            eye = torch.eye(B, dtype=torch.bool)
            ni = torch.multinomial(t2i.masked_fill(eye, -1e4).softmax(1), 1)[:, 0]
            nt = torch.multinomial(i2t.masked_fill(eye, -1e4).softmax(1), 1)[:, 0]
        ids3, m3 = torch.cat([ids, ids, ids[nt]]), torch.cat([mask, mask, mask[nt]])
        img3 = torch.cat([image, image[ni], image])
        full = torch.cat([torch.ones(3 * B, s.nq), m3.float()], 1)
        h, _ = s.encode(ids=ids3, queries=s.query_tokens.expand(3 * B, -1, -1), image=img3, mask=((1 - full) * -1e4)[:, None, None])
        itm = F.cross_entropy(s.itm_head(h[:, :s.nq]).mean(1).float(), torch.cat([torch.ones(B), torch.zeros(2 * B)]).long())
        dec = ids.clone(); dec[:, 0] = dec_id
        causal = torch.full((T, T), -1e4).triu(1)
        gm = torch.cat([torch.zeros(B, 1, T, s.nq), (causal + pad).clamp(min=-1e4)], -1)
        g, _ = s.encode(ids=dec, mask=gm, past=cache)
        logits = F.linear(s.transform_norm(F.gelu(s.transform(g[:, :-1]))), s.word.weight, s.bias)
        labels = dec[:, 1:].masked_fill(mask[:, 1:] == 0, -100)
        itg = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), label_smoothing=0.1, ignore_index=-100)
        return itc, itm, itg
