// Changing the data of a review: fetched when somebody wants to, sent with the answer when something is another.

import { useEffect, useState } from "react";
import { useLink, useShared } from "./use";
import type { Editable, Question } from "./wire";
import { dataOf, recordsOf, textOf } from "./edits";
import { Editing } from "./Editing";
import { Icon } from "./Icon";

export interface Edit {
  open: boolean;
  /** Whether this view can fetch the data at all. */
  may: boolean;
  editable: Editable | undefined;
  rows: string[][];
  text: string;
  /** The changed data; undefined where nothing is another. */
  data: unknown;
  wrong: string | undefined;
  begin: () => void;
  discard: () => void;
  setRows: (rows: string[][]) => void;
  setText: (text: string) => void;
}

export function useEdit(question: Question): Edit {
  const link = useLink();
  const editable = useShared("editable", (each) => each.editables[question.id]);
  const [open, setOpen] = useState(false);
  const [rows, setRows] = useState<string[][]>([]);
  const [text, setText] = useState("");
  useEffect(() => {
    if (!editable) return;
    if (editable.kind === "table") setRows(editable.rows.map((row) => row.map(textOf)));
    else setText(editable.text);
  }, [editable]);
  const { data, wrong } = open && editable ? changed(editable, rows, text) : {};
  return {
    open: open && editable !== undefined,
    may: link.edits,
    editable,
    rows,
    text,
    data,
    wrong,
    begin: () => {
      setOpen(true);
      if (!editable) link.ask({ ask: "editable", approval: question.id });
    },
    discard: () => {
      setOpen(false);
      if (editable?.kind === "table") setRows(editable.rows.map((row) => row.map(textOf)));
      else if (editable) setText(editable.text);
    },
    setRows,
    setText,
  };
}

function changed(editable: Editable, rows: string[][], text: string): { data?: unknown; wrong?: string | undefined } {
  if (editable.kind !== "table") return text === editable.text ? {} : dataOf(editable, text);
  const same = rows.every((row, at) => row.every((cell, column) => cell === textOf(editable.rows[at]?.[column])));
  return same ? {} : { data: recordsOf(editable.columns, editable.rows, rows) };
}

export function EditBox({ edit }: { edit: Edit }) {
  const barred = useShared("bar", (each) => each.barred);
  const refusal = useShared("notice", (each) => (each.refusal?.ask === "editable" ? each.refusal.message : null));
  if (!edit.may) return <p className="sec small">The data can be changed with the answer in the view of the run.</p>;
  return (
    <div className="fnb-edit">
      {edit.open && edit.editable && (
        <Editing editable={edit.editable} rows={edit.rows} text={edit.text} wrong={edit.wrong} onRows={edit.setRows} onText={edit.setText} />
      )}
      <button
        type="button"
        className="fnb-btn line"
        data-action="edit"
        disabled={barred !== null}
        onClick={edit.open ? edit.discard : edit.begin}
      >
        <Icon name={edit.open ? "close" : "edit"} />
        {edit.open ? "Discard the changes" : "Edit the data"}
      </button>
      {refusal !== null && !edit.open && (
        <p className="s-failed fnb-said" role="alert">
          {refusal}
        </p>
      )}
    </div>
  );
}
