// SPDX-License-Identifier: MIT
/**
 * Python as coloured spans, line by line: strings (also over lines, and with fields in f-strings),
 * comments, keywords, numbers. It goes over each character once, whatever the text is.
 */

export const enum Token {
	Plain = 0,
	Comment = 1,
	Text = 2, // of a string
	Keyword = 3,
	Number = 4,
	Name = 5, // that is defined here
	Decorator = 6,
}

/** A string that is open at some place. */
interface Quote {
	readonly quote: number; // character code
	readonly triple: boolean;
	readonly fields: boolean; // {} in it are code
	readonly depth: number; // of brackets in a field; 0: in the text of the string
}

/** What is open at the beginning of a line, outermost first. */
export type LineState = readonly Quote[];

export const AT_START: LineState = [];

const DEEPEST = 8; // strings within fields of strings

const KEYWORDS: ReadonlySet<string> = new Set(
	(
		'False None True and as assert async await break class continue def del elif else except finally ' +
		'for from global if import in is lambda nonlocal not or pass raise return try while with yield'
	).split(' '),
);

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isLetter = (c: number): boolean =>
	(c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c >= 128;
const isQuote = (c: number): boolean => c === 34 || c === 39;
const isPrefix = (word: string): boolean => /^(?:[rbuft]|r[bft]|[bft]r)$/i.test(word);

/** Spans of a line: end and token of each, one after the other; and what is open at its end. */
export interface Line {
	readonly spans: readonly number[];
	readonly state: LineState;
}

interface Scanner {
	readonly text: string;
	readonly spans: number[];
	stack: Quote[];
	at: number;
	afterDef: boolean; // the next name is one that is defined
}

function emit(s: Scanner, end: number, token: Token): void {
	const { spans } = s;
	if (end > s.at) {
		if (spans.length > 0 && spans[spans.length - 1] === token) spans[spans.length - 2] = end;
		else spans.push(end, token);
	}
	s.at = end;
}

function setDepth(s: Scanner, depth: number): void {
	const top = s.stack.pop();
	if (top) s.stack.push({ ...top, depth });
}

/** The text of the innermost string, up to its end, a field, or the end of the line. */
function scanText(s: Scanner, top: Quote): void {
	const { text } = s;
	for (let i = s.at; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if (c === 92) {
			i++;
		} else if (c === top.quote) {
			const next = text.charCodeAt(i + 1) === c && text.charCodeAt(i + 2) === c;
			if (top.triple && !next) continue;
			s.stack.pop();
			emit(s, i + (top.triple ? 3 : 1), Token.Text);
			return;
		} else if (c === 123 && top.fields) {
			if (text.charCodeAt(i + 1) === 123) {
				i++;
				continue;
			}
			setDepth(s, 1);
			emit(s, i, Token.Text);
			emit(s, i + 1, Token.Plain);
			return;
		}
	}
	emit(s, text.length, Token.Text);
}

/** A string begins at `start`, where its quote is. */
function openText(s: Scanner, start: number, prefix: string): void {
	const quote = s.text.charCodeAt(start);
	const triple = s.text.charCodeAt(start + 1) === quote && s.text.charCodeAt(start + 2) === quote;
	emit(s, start + (triple ? 3 : 1), Token.Text);
	if (s.stack.length >= DEEPEST) return;
	s.stack.push({ quote, triple, fields: /[ft]/i.test(prefix), depth: 0 });
}

function scanWord(s: Scanner): void {
	const { text } = s;
	let end = s.at + 1;
	while (end < text.length && (isLetter(text.charCodeAt(end)) || isDigit(text.charCodeAt(end))))
		end++;
	const long = end - s.at > 12;
	const word = long ? '' : text.slice(s.at, end);
	if (isQuote(text.charCodeAt(end)) && isPrefix(word)) {
		openText(s, end, word);
		return;
	}
	const token = KEYWORDS.has(word) ? Token.Keyword : s.afterDef ? Token.Name : Token.Plain;
	emit(s, end, token);
	s.afterDef = word === 'def' || word === 'class';
}

function scanNumber(s: Scanner): void {
	const { text } = s;
	const hex = /[xX]/.test(text[s.at + 1] ?? '');
	let end = s.at + 1;
	for (; end < text.length; end++) {
		const c = text.charCodeAt(end);
		if (isDigit(c) || isLetter(c) || c === 46) continue;
		const exponent = !hex && /[eE]/.test(text[end - 1]) && (c === 43 || c === 45);
		if (!exponent) break;
	}
	emit(s, end, Token.Number);
}

/** A bracket within a field; the last one ends it. */
function scanBracket(s: Scanner, c: number, depth: number): void {
	if (c === 123 || c === 40 || c === 91) setDepth(s, depth + 1);
	else if (c === 125 || depth > 1) setDepth(s, depth - 1);
	emit(s, s.at + 1, Token.Plain);
}

function scanCode(s: Scanner, field: number): void {
	const { text } = s;
	const c = text.charCodeAt(s.at);
	const starts = c === 64 && s.at < 400 && text.slice(0, s.at).trim() === '';
	if (isLetter(c)) scanWord(s);
	else if (isDigit(c) || (c === 46 && isDigit(text.charCodeAt(s.at + 1)))) scanNumber(s);
	else if (isQuote(c)) openText(s, s.at, '');
	// in a field it is a way to format: "{n:#x}"
	else if (c === 35 && field === 0) emit(s, text.length, Token.Comment);
	else if (field > 0 && '{}()[]'.includes(text[s.at])) scanBracket(s, c, field);
	else if (starts) scanDecorator(s);
	else emit(s, s.at + 1, Token.Plain);
}

function scanDecorator(s: Scanner): void {
	let end = s.at + 1;
	const { text } = s;
	while (end < text.length && (isLetter(text.charCodeAt(end)) || text.charCodeAt(end) === 46))
		end++;
	emit(s, end, Token.Decorator);
}

/** Strings in single quotes end with their line, unless a backslash takes them to the next one. */
function endLine(s: Scanner): LineState {
	const top = s.stack.at(-1);
	const inText = top !== undefined && top.depth === 0;
	const slashes = /\\*$/.exec(s.text.slice(-64))?.[0].length ?? 0;
	if (inText && slashes % 2 === 1) return s.stack;
	while (s.stack.length > 0 && s.stack.at(-1)?.triple !== true) s.stack.pop();
	return s.stack.length > 0 ? s.stack : AT_START;
}

/** `state`: what the line before left open. */
export function tokenizeLine(text: string, state: LineState): Line {
	const s: Scanner = { text, spans: [], stack: [...state], at: 0, afterDef: false };
	while (s.at < text.length) {
		const top = s.stack.at(-1);
		if (top && top.depth === 0) scanText(s, top);
		else scanCode(s, top?.depth ?? 0);
	}
	return { spans: s.spans, state: endLine(s) };
}

/** What is open at the beginning of each line. */
export function lineStates(lines: readonly string[]): LineState[] {
	const states: LineState[] = [];
	let state = AT_START;
	for (const line of lines) {
		states.push(state);
		state = tokenizeLine(line, state).state;
	}
	return states;
}
