/* The homes that cheat: name, what it does, who must notice (design.md part 10, crypto.md 3.5), by which reason. */
CHEAT(FORKS, "shows one history to its witnesses and another to one monitor", BY_MONITOR | BY_WITNESS, REASON_SPLIT_VIEW)
CHEAT(PRIVATE_FORK, "proves a letter in a fork of its own, and by its own witness", BY_PEER, REASON_UNDER_WITNESSED)
CHEAT(DOES_NOT_LOG, "receipts letters and does not log them", BY_PEER, REASON_PROOF_OVERDUE)
CHEAT(MISOPENS_PROOF, "logs another statement than the one it received", BY_PEER, REASON_LEAF_MISMATCH)
CHEAT(MISOPENS_LETTER, "sends a letter whose leaf is of another statement", BY_PEER, REASON_LEAF_MISMATCH)
CHEAT(MISCLASSIFIES_PROOF, "logs what it received under another class", BY_PEER, REASON_LEAF_MISMATCH)
CHEAT(MISCLASSIFIES_LETTER, "logs what it sends under another class", BY_PEER, REASON_LEAF_MISMATCH)
CHEAT(ROLLS_BACK, "puts an old copy of its disk back and signs on", BY_PEER | BY_MONITOR, REASON_UNDER_WITNESSED)
#undef CHEAT
