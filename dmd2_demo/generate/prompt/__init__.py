"""What a prompt says beside its words: choices, weights, and more tokens than one chunk holds.

Text comes in as a visitor wrote it. Only `embedding` imports torch: the rest counts tokens before torch is there.
"""
