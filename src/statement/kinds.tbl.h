/* Kinds of statement: C name (statement/<name>.c), name, class for the leaf, to, leaf, approvals, words.
 * Approvals name enum approval_role without its prefix, joined with A2(a, b) for two; NO_APPROVAL for none. */
KIND(preservation_request, "preservation-request", "preservation", TO_PEER, true, A2(REVIEWER, AUTHORITY), "request to preserve stored data (art. 42)")
KIND(stored_data_request, "stored-data-request", "stored-data", TO_PEER, true, A2(REVIEWER, AUTHORITY), "request for stored data (art. 44)")
KIND(acknowledgement, "acknowledgement", "acknowledgement", TO_PEER, true, A1(DUTY), "a duty officer has taken a request on (art. 41)")
KIND(answer, "answer", "answer", TO_PEER, true, A1(AUTHORITY), "answer to a request")
KIND(order, "order", "order", TO_PEER, true, A1(AUTHORITY), "domestic order (arts 24, 25, 27, 28); disclosure needs the court")
KIND(exhibit, "exhibit", "evidence", TO_PEER, true, A1(CUSTODIAN), "evidence handed over (art. 44)")
KIND(custody, "custody", "custody", TO_SELF, true, NO_APPROVAL, "one event in the custody of an exhibit")
KIND(confirmation, "confirmation", "evidence-confirmation", TO_PEER, true, NO_APPROVAL, "evidence arrived and was verified")
KIND(page, "page", "page", TO_SELF, true, NO_APPROVAL, "a duty officer was paged")
KIND(receipt, "receipt", "", TO_PEER, false, NO_APPROVAL, "a letter arrived and is logged, or was rejected")
KIND(register_root, "register-root", "", TO_REGISTER, false, NO_APPROVAL, "trust root of the register")
KIND(register_entry, "register-entry", "register", TO_REGISTER, true, NO_APPROVAL, "entry of a party in the register")
KIND(register_snapshot, "register-snapshot", "", TO_REGISTER, false, NO_APPROVAL, "which entries the register has, at a time")
#undef KIND
