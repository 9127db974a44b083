PRAGMA application_id = 1718382178;
PRAGMA user_version = 4;
CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    workflow TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    pause_reason TEXT,
    key TEXT,
    request TEXT NOT NULL,
    mode TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    parent TEXT,
    "group" TEXT,
    definition TEXT NOT NULL,
    program TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    owner TEXT,
    fence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_group ON runs ("group", created_at, id);
CREATE INDEX runs_by_status ON runs (status, created_at);
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner IS NOT NULL;
CREATE TABLE events (
    run_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE owners (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started INTEGER NOT NULL,
    partner_pid INTEGER NOT NULL,
    partner_started INTEGER NOT NULL,
    renewed_monotonic REAL NOT NULL,
    renewed_wall REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    sent_at REAL NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX commands_by_run ON commands (run_id);
CREATE TABLE approvals (
    run_id TEXT NOT NULL,
    id TEXT NOT NULL,
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    decided_at REAL,
    decided_by TEXT,
    port TEXT,
    request BLOB NOT NULL,
    decision BLOB,
    PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_pending ON approvals (created_at) WHERE status = 'pending';
CREATE TABLE approval_votes (
    run_id TEXT NOT NULL,
    approval TEXT NOT NULL,
    place INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, approval, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE definitions (
    digest TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    put_at REAL NOT NULL
) STRICT;
CREATE TABLE programs (
    digest TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    put_at REAL NOT NULL
) STRICT;
CREATE TABLE cached_results (
    key TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    node TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_results_by_run ON cached_results (run_id);
CREATE TABLE audit (
    run_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    key TEXT NOT NULL,
    previous TEXT NOT NULL,
    body BLOB NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (run_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_due ON approvals (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
CREATE TABLE workflow_variables (
    workflow TEXT NOT NULL,
    name TEXT NOT NULL,
    run_id TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (workflow, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE forks (
    run_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX forks_by_source ON forks (source);
CREATE TABLE dead_letters (
    run_id TEXT NOT NULL,
    node TEXT NOT NULL,
    at REAL NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, node)
) STRICT, WITHOUT ROWID;
CREATE TABLE error_calls (
    run_id TEXT NOT NULL PRIMARY KEY,
    at REAL NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE status_calls (
    run_id TEXT NOT NULL,
    at REAL NOT NULL,
    status TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, at, status)
) STRICT, WITHOUT ROWID;
CREATE TABLE notices (
    run_id TEXT NOT NULL,
    approval TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    round INTEGER NOT NULL,
    next_at REAL,
    attempts INTEGER NOT NULL,
    claim TEXT NOT NULL,
    claimed_until REAL NOT NULL,
    outcome BLOB,
    PRIMARY KEY (run_id, approval, kind, channel, recipient, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_due ON notices (next_at) WHERE next_at IS NOT NULL;
INSERT INTO runs VALUES ('all', 'invoices', 'flow', 'completed', NULL, 'every-event', 'q1', 'manual', 'manual', NULL, NULL, 'd1', '3c57e81353870bf3cd508f2f86d464cd', 1000.0, 1.5, 9.0, NULL, 1);
INSERT INTO runs VALUES ('nb', 'invoices', 'notebook', 'running', NULL, NULL, '', 'manual', 'manual', NULL, NULL, 'd1', '', 1001.0, 1.5, NULL, 'owner-7', 1);
INSERT INTO runs VALUES ('nb.1', 'invoices', 'flow', 'paused', 'human', NULL, '', 'manual', 'manual', 'nb', 'nb', 'd1', '', 1002.0, 1.5, NULL, NULL, 1);
INSERT INTO events VALUES ('all', 1, CAST('{"type":"run_started","at":1.5,"workflow":"invoices","definition":"d1","inputs":{"path":"ä.csv","n":[1,2.5,null,true]}}' AS BLOB));
INSERT INTO events VALUES ('all', 2, CAST('{"type":"node_started","at":2.0,"node":"load","attempt":2}' AS BLOB));
INSERT INTO events VALUES ('all', 3, CAST('{"type":"signal_received","at":2.0,"name":"paid","value":3.5,"by":"ada","nodes":["wait"]}' AS BLOB));
INSERT INTO events VALUES ('all', 4, CAST('{"type":"signal_delivered","at":2.0,"node":"wait","name":"paid"}' AS BLOB));
INSERT INTO events VALUES ('all', 5, CAST('{"type":"result_cached","at":2.0,"node":"load","key":"ab12","seq":2}' AS BLOB));
INSERT INTO events VALUES ('all', 6, CAST('{"type":"breakpoint_set","at":2.0,"node":"post"}' AS BLOB));
INSERT INTO events VALUES ('all', 7, CAST('{"type":"iteration_started","at":2.0,"node":"each","index":3,"item":{"amount":3.5}}' AS BLOB));
INSERT INTO events VALUES ('all', 8, CAST('{"type":"child_started","at":2.0,"node":"each","run":"1ngjcmg5e1p9657","workflow":"billing"}' AS BLOB));
INSERT INTO events VALUES ('all', 9, CAST('{"type":"node_retrying","at":2.0,"node":"load","attempt":2,"delay":0.5,"error":{"type":"ValueError","message":"no such month"}}' AS BLOB));
INSERT INTO events VALUES ('all', 10, CAST('{"type":"node_completed","at":3.0,"node":"load","output":{"$artifact":{"digest":"ab"}},"ports":["true"],"verdicts":{"e":true}}' AS BLOB));
INSERT INTO events VALUES ('all', 11, CAST('{"type":"node_failed","at":3.0,"node":"b","error":{"type":"ValueError","message":"no such month"},"handled":true,"port":true,"output":{"m":1}}' AS BLOB));
INSERT INTO events VALUES ('all', 12, CAST('{"type":"node_skipped","at":3.0,"node":"c","reason":{"group":"gate","message":"b took false","edge":"e1"}}' AS BLOB));
INSERT INTO events VALUES ('all', 13, CAST('{"type":"node_waiting","at":3.0,"node":"d","waits_for":"human","until":9.0,"request":"q","resume_data":{"page":3}}' AS BLOB));
INSERT INTO events VALUES ('all', 14, CAST('{"type":"node_cancelled","at":3.0,"node":"e","reason":{"group":"run","message":"cancelled"}}' AS BLOB));
INSERT INTO events VALUES ('all', 15, CAST('{"type":"node_output","at":3.0,"node":"load","stream":"display","data":{"text/plain":"3"}}' AS BLOB));
INSERT INTO events VALUES ('all', 16, CAST('{"type":"node_status","at":3.0,"node":"load","text":"page 3/12","progress":0.25}' AS BLOB));
INSERT INTO events VALUES ('all', 17, CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB));
INSERT INTO events VALUES ('all', 18, CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB));
INSERT INTO events VALUES ('all', 19, CAST('{"type":"approval_decided","at":4.0,"node":"ok","approval":"a1","by":"bob","port":"approved","data":{"x":1},"comment":"fine"}' AS BLOB));
INSERT INTO events VALUES ('all', 20, CAST('{"type":"approval_expired","at":4.0,"node":"ok","approval":"a2"}' AS BLOB));
INSERT INTO events VALUES ('all', 21, CAST('{"type":"approval_refused","at":4.0,"node":"ok","approval":"a2","by":"eve","port":"approved","why":"eve may not"}' AS BLOB));
INSERT INTO events VALUES ('all', 22, CAST('{"type":"approval_reminded","at":4.0,"node":"ok","approval":"a2"}' AS BLOB));
INSERT INTO events VALUES ('all', 23, CAST('{"type":"approval_notified","at":4.0,"node":"ok","approval":"a2","channel":"mail","to":"ada","why":"refused","next_at":9.0}' AS BLOB));
INSERT INTO events VALUES ('all', 24, CAST('{"type":"variable_set","at":5.0,"name":"month","value":"2026-11"}' AS BLOB));
INSERT INTO events VALUES ('all', 25, CAST('{"type":"variable_set","at":5.0,"name":"limit","value":500,"scope":"workflow","by":"ada"}' AS BLOB));
INSERT INTO events VALUES ('all', 26, CAST('{"type":"desktop_screenshot","at":5.0,"node":"shot","image":{"$artifact":{"digest":"cd"}}}' AS BLOB));
INSERT INTO events VALUES ('all', 27, CAST('{"type":"desktop_click","at":5.0,"node":"shot","x":3,"y":4}' AS BLOB));
INSERT INTO events VALUES ('all', 28, CAST('{"type":"desktop_type","at":5.0,"node":"shot","text":"•••"}' AS BLOB));
INSERT INTO events VALUES ('all', 29, CAST('{"type":"desktop_ocr","at":5.0,"node":"shot","result":[{"text":"OK"}]}' AS BLOB));
INSERT INTO events VALUES ('all', 30, CAST('{"type":"system_info","at":5.0,"message":"hello"}' AS BLOB));
INSERT INTO events VALUES ('all', 31, CAST('{"type":"system_warning","at":5.0,"message":"hm"}' AS BLOB));
INSERT INTO events VALUES ('all', 32, CAST('{"type":"system_error","at":5.0,"message":"oh"}' AS BLOB));
INSERT INTO events VALUES ('all', 33, CAST('{"type":"run_paused","at":6.0,"reason":"human","message":"waits for ok","tells":"ops:told"}' AS BLOB));
INSERT INTO events VALUES ('all', 34, CAST('{"type":"run_resumed","at":7.0,"reset":["b"],"cause":"decided"}' AS BLOB));
INSERT INTO events VALUES ('all', 35, CAST('{"type":"run_forked","at":7.0,"source":"other","seq":3}' AS BLOB));
INSERT INTO events VALUES ('all', 36, CAST('{"type":"run_ending","at":8.0,"error":{"type":"ValueError","message":"no such month"},"node":"b","undo":["cancel_hotel"],"handlers":["failed"]}' AS BLOB));
INSERT INTO events VALUES ('all', 37, CAST('{"type":"run_stopping","at":8.0,"status":"completed","node":"b","message":"enough","undoes":true}' AS BLOB));
INSERT INTO events VALUES ('all', 38, CAST('{"type":"dead_letter_dropped","at":8.0,"node":"b","by":"ada"}' AS BLOB));
INSERT INTO events VALUES ('all', 39, CAST('{"type":"node_failed","at":8.0,"node":"post","error":{"type":"ValueError","message":"no such month"}}' AS BLOB));
INSERT INTO events VALUES ('all', 40, CAST('{"type":"run_failed","at":8.0,"error":{"type":"ValueError","message":"no such month"},"node":"b","calls":"ops:on_failure","tells":"ops:told"}' AS BLOB));
INSERT INTO events VALUES ('all', 41, CAST('{"type":"run_cancelled","at":8.0,"by":"ada","tells":"ops:told"}' AS BLOB));
INSERT INTO events VALUES ('all', 42, CAST('{"type":"node_step","at":8.0,"node":"load","name":"charge","output":{"id":"ch_1"}}' AS BLOB));
INSERT INTO events VALUES ('all', 43, CAST('{"type":"node_heartbeat","at":8.0,"node":"load","detail":{"page":3}}' AS BLOB));
INSERT INTO events VALUES ('all', 44, CAST('{"type":"node_measured","at":8.0,"node":"load","memory":1048576}' AS BLOB));
INSERT INTO events VALUES ('all', 45, CAST('{"type":"run_completed","at":9.0,"results":{"rows":3},"tells":"ops:told"}' AS BLOB));
INSERT INTO events VALUES ('nb', 1, CAST('{"type":"run_started","at":1.5,"workflow":"invoices","definition":"d1","inputs":{"path":"ä.csv","n":[1,2.5,null,true]}}' AS BLOB));
INSERT INTO events VALUES ('nb.1', 1, CAST('{"type":"run_started","at":1.5,"workflow":"invoices","definition":"d1","inputs":{"path":"ä.csv","n":[1,2.5,null,true]}}' AS BLOB));
INSERT INTO events VALUES ('nb.1', 2, CAST('{"type":"node_started","at":2.0,"node":"load","attempt":2}' AS BLOB));
INSERT INTO events VALUES ('nb.1', 3, CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB));
INSERT INTO events VALUES ('nb.1', 4, CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB));
INSERT INTO events VALUES ('nb.1', 5, CAST('{"type":"run_paused","at":6.0,"reason":"human","message":"waits for ok","tells":"ops:told"}' AS BLOB));
INSERT INTO owners VALUES ('owner-7', 'desk', 'boot-1', 'ns-1', 7, 70, 0, 0, 500.0, 1790000000.0);
INSERT INTO commands VALUES (1, 'nb', 1790000000.0, CAST('{"type":"cancel","by":"ada"}' AS BLOB));
INSERT INTO approvals VALUES ('all', 'a1', 'ok', 'approval', 'approved', 1004.0, NULL, 4.0, 'bob', 'approved', CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB), CAST('{"type":"approval_decided","at":4.0,"node":"ok","approval":"a1","by":"bob","port":"approved","data":{"x":1},"comment":"fine"}' AS BLOB));
INSERT INTO approvals VALUES ('nb.1', 'a1', 'ok', 'approval', 'pending', 1004.0, NULL, NULL, NULL, NULL, CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB), NULL);
INSERT INTO approval_votes VALUES ('all', 'a1', 0, CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB));
INSERT INTO approval_votes VALUES ('nb.1', 'a1', 0, CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB));
INSERT INTO definitions VALUES ('d1', '{"name": "invoices"}', 1790000000.0);
INSERT INTO programs VALUES ('3c57e81353870bf3cd508f2f86d464cd', CAST('{"kind":"module","target":"jobs:flow","directory":"/srv","source":"","details":{"parameters":{"month":11}}}' AS BLOB), 1790000000.0);
INSERT INTO cached_results VALUES ('ab12', 'all', 'load', 2);
INSERT INTO audit VALUES ('all', 1, 'c9c2101551ce', '', CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB), '9b5afa1865f4c4b9f4c4b1db7efcb406c9cf60b088a458b0c3334d89ca99ed3b');
INSERT INTO audit VALUES ('all', 2, 'c9c2101551ce', '9b5afa1865f4c4b9f4c4b1db7efcb406c9cf60b088a458b0c3334d89ca99ed3b', CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB), '3333d1a70039638dc4fc0ed0dfd1154ea03e2ea01f83f73403a3edd0942864a6');
INSERT INTO audit VALUES ('all', 3, 'c9c2101551ce', '3333d1a70039638dc4fc0ed0dfd1154ea03e2ea01f83f73403a3edd0942864a6', CAST('{"type":"approval_decided","at":4.0,"node":"ok","approval":"a1","by":"bob","port":"approved","data":{"x":1},"comment":"fine"}' AS BLOB), '0ca5d60e7d60a8fce92cdb2a1aa0c13d7f6c2d11129952855f4384e2d846a6bc');
INSERT INTO audit VALUES ('nb.1', 1, 'c9c2101551ce', '', CAST('{"type":"approval_requested","at":1004.0,"node":"ok","approval":"a1","kind":"approval","question":"Post 3 EUR?","ports":["approved","rejected"]}' AS BLOB), '4182776cc237f0e55ba3cab1b8930ad57ebf0d6547c8f399b1cff8c594a3eca2');
INSERT INTO audit VALUES ('nb.1', 2, 'c9c2101551ce', '4182776cc237f0e55ba3cab1b8930ad57ebf0d6547c8f399b1cff8c594a3eca2', CAST('{"type":"approval_voted","at":4.0,"node":"ok","approval":"a1","by":"ada","port":"approved"}' AS BLOB), '694916052a14e0b86273987b1754742cefc57e132a6e96677cc8e240fc700622');
INSERT INTO workflow_variables VALUES ('invoices', 'limit', 'all', CAST('{"type":"variable_set","at":5.0,"name":"limit","value":500,"scope":"workflow","by":"ada"}' AS BLOB));
INSERT INTO forks VALUES ('all', 'other', 3);
INSERT INTO dead_letters VALUES ('all', 'post', 8.0, CAST('{"type":"node_failed","at":8.0,"node":"post","error":{"type":"ValueError","message":"no such month"}}' AS BLOB));
INSERT INTO error_calls VALUES ('all', 8.0, CAST('{"type":"run_failed","at":8.0,"error":{"type":"ValueError","message":"no such month"},"node":"b","calls":"ops:on_failure","tells":"ops:told"}' AS BLOB));
INSERT INTO status_calls VALUES ('all', 6.0, 'paused', CAST('{"type":"run_paused","at":6.0,"reason":"human","message":"waits for ok","tells":"ops:told"}' AS BLOB));
INSERT INTO status_calls VALUES ('all', 8.0, 'cancelled', CAST('{"type":"run_cancelled","at":8.0,"by":"ada","tells":"ops:told"}' AS BLOB));
INSERT INTO status_calls VALUES ('all', 8.0, 'failed', CAST('{"type":"run_failed","at":8.0,"error":{"type":"ValueError","message":"no such month"},"node":"b","calls":"ops:on_failure","tells":"ops:told"}' AS BLOB));
INSERT INTO status_calls VALUES ('all', 9.0, 'completed', CAST('{"type":"run_completed","at":9.0,"results":{"rows":3},"tells":"ops:told"}' AS BLOB));
INSERT INTO status_calls VALUES ('nb.1', 6.0, 'paused', CAST('{"type":"run_paused","at":6.0,"reason":"human","message":"waits for ok","tells":"ops:told"}' AS BLOB));
