/* Kinds of statement: C name (statement/<name>.c), name, class for the leaf, to, leaf, whether a letter may go
 * proof-pending when the witnesses fail (design.md part 10: what pages and preserves, never what discloses), approvals, words.
 * Approvals name enum approval_role without its prefix, joined with A2(a, b) for two; NO_APPROVAL for none. */
KIND(preservation_request, "preservation-request", "preservation", TO_PEER, true, true, A2(REVIEWER, AUTHORITY), "request to preserve stored data (art. 42)")
KIND(stored_data_request, "stored-data-request", "stored-data", TO_PEER, true, false, A2(REVIEWER, AUTHORITY), "request for stored data (art. 44)")
KIND(acknowledgement, "acknowledgement", "acknowledgement", TO_PEER, true, true, A1(DUTY), "a duty officer has taken a request on (art. 41)")
KIND(answer, "answer", "answer", TO_PEER, true, false, A1(AUTHORITY), "answer to a request")
KIND(order, "order", "order", TO_PEER, true, false, A1(AUTHORITY), "domestic order (arts 24, 25, 27, 28); disclosure needs the court")
KIND(exhibit, "exhibit", "evidence", TO_PEER, true, false, A1(CUSTODIAN), "evidence handed over (art. 44)")
KIND(custody, "custody", "custody", TO_SELF, true, false, NO_APPROVAL, "one event in the custody of an exhibit")
KIND(confirmation, "confirmation", "evidence-confirmation", TO_PEER, true, false, NO_APPROVAL, "evidence arrived and was verified")
KIND(erasure, "erasure", "erasure", TO_PEER, true, false, A2(REVIEWER, AUTHORITY), "a party erases what it holds of a request, and asks the other to")
KIND(page, "page", "page", TO_SELF, true, false, NO_APPROVAL, "a duty officer was paged")
KIND(receipt, "receipt", "", TO_PEER, false, false, NO_APPROVAL, "a letter arrived and is logged, or was rejected")
KIND(register_root, "register-root", "", TO_REGISTER, false, false, NO_APPROVAL, "trust root of the register")
KIND(register_entry, "register-entry", "register", TO_REGISTER, true, false, NO_APPROVAL, "entry of a party in the register")
KIND(register_snapshot, "register-snapshot", "", TO_REGISTER, false, false, NO_APPROVAL, "which entries the register has, at a time")
KIND(register_policy, "register-policy", "register", TO_REGISTER, true, false, NO_APPROVAL, "which witnesses must have cosigned a party's log")
/* exchange/pairs.c, overdue.c, recover.c */
KIND(closing, "closing", "closing", TO_PEER, true, false, NO_APPROVAL, "letters of a quarter between two parties, counted")
KIND(overdue_notice, "overdue-notice", "", TO_PEER, false, false, NO_APPROVAL, "a proof that was promised has not come")
KIND(complaint, "complaint", "complaint", TO_REGISTER, true, false, A1(AUTHORITY), "complaint about what a party signed and did not keep")
KIND(history_lost, "history-lost", "history-lost", TO_REGISTER, true, false, A2(REVIEWER, AUTHORITY), "a log ended, because what it signed is lost")
/* exchange/parameters.c, exchange/openings.c: what the log says of itself, published at once */
KIND(log_parameters, "log-parameters", "log-parameters", TO_SELF, true, false, NO_APPROVAL, "parameters of the log, from a week on")
KIND(class_openings, "class-openings", "class-openings", TO_SELF, true, false, NO_APPROVAL, "classes of a quarter's leaves were opened")
/* exchange/rejections.c */
KIND(rejection, "rejection", "rejection", TO_SELF, true, false, NO_APPROVAL, "a letter that came signed over its sender's own line was not accepted")
KIND(rejections, "rejections", "rejection", TO_SELF, true, false, NO_APPROVAL, "other letters of a day that were not accepted, counted")
#undef KIND
