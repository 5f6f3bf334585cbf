// SPDX-License-Identifier: MIT
/**
 * Folded text of what is shown: one line per stack, root first, `frame;frame COUNT`, sorted. Frames
 * read and are escaped as in the folded text of the commands, so that any reader of it reads this.
 */
import { FunctionKind, NONE } from '../data/capture.js';
import type { Shown, ShownTables } from '../model/shown.js';

const NAMED: Readonly<Record<string, string>> = {
	'\\': '\\\\',
	'\n': '\\n',
	'\r': '\\r',
	'\t': '\\t',
};

/** A name as a part of a line: `;`, backslashes, control characters and ends of lines escaped. */
export function escapeFolded(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: names may hold them
	return text.replace(/[\\;\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (c) => {
		const code = c.charCodeAt(0);
		const hex = code.toString(16);
		return NAMED[c] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
	});
}

function labelOf(tables: ShownTables, frame: number): string {
	const func = tables.frameFunc[frame];
	const name = tables.funcName[func] || '?';
	const file = tables.funcFile[func];
	const line = tables.frameLine[frame] || tables.funcLine[func];
	if (!file || tables.funcKind[func] !== FunctionKind.Python) return escapeFolded(name);
	return escapeFolded(`${name} (${file}${line ? `:${line}` : ''})`);
}

const countOf = (weight: number): string =>
	Number.isInteger(weight) ? String(weight) : weight.toFixed(3);

/** The lines, each with its end; a last frame that ends in a number has its space escaped. */
export function foldedLines(shown: Shown): string[] {
	const { tables, now } = shown;
	const labels = Array.from({ length: tables.frameCount }, (_, f) => labelOf(tables, f));
	const sums = new Map<string, number>();
	for (let stack = 0; stack < tables.stackCount; stack++) {
		if (!(now.self[stack] > 0)) continue;
		const path: string[] = [];
		for (let s = stack; s !== NONE; s = tables.stackParent[s]) {
			path.push(labels[tables.stackFrame[s]] ?? '?');
		}
		path[0] = (path[0] ?? '').replace(/ ([0-9.]+)$/, '\\x20$1');
		const line = path.reverse().join(';');
		sums.set(line, (sums.get(line) ?? 0) + now.self[stack]);
	}
	return [...sums].map(([line, sum]) => `${line} ${countOf(sum)}\n`).sort();
}
