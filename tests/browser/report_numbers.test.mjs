// SPDX-License-Identifier: MIT
// The numbers of the page are those of the commands, whatever is cut out of the capture.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describe, exported, golden, open, plain, report, start, stop } from './report_harness.mjs';

// ---- a capture as programs give them ----------------------------------------------------------------

const LIBRARY = '/v/lib/python3.12/site-packages';
const FILES = [
	'/srv/shop/app.py',
	'/srv/shop/views.py',
	'/srv/shop/store/db.py',
	'/srv/shop/store/index.py',
	`${LIBRARY}/requests/api.py`,
	`${LIBRARY}/requests/models.py`,
	`${LIBRARY}/yaml/reader.py`,
	'/usr/lib/python3.12/json/decoder.py',
	'/usr/lib/python3.12/threading.py',
	'<frozen importlib._bootstrap>',
];
const THREADS = [
	['0 100 MainThread', 4000],
	['0 101 pool_1', 4000],
	['0 102 pool_2', 3000],
	['0 103 pool_2', 1500],
	['1 200 MainThread', 2500],
	['1 201 pool_1', 800],
];

/** The same numbers each time. */
function makeRandom(seed) {
	let state = BigInt(seed);
	return (limit) => {
		state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
		return Number((state >> 33n) % BigInt(limit));
	};
}

/** Stacks that grow and shrink as calls do; recursion, a few functions on many lines, marks. */
function randomLines() {
	const any = makeRandom(7);
	const functions = Array.from({ length: 60 }, (_, i) => [`f${i}`, FILES[any(FILES.length)]]);
	const lines = ['fact cwd /srv/shop', 'process 100 shop', 'process 200 job'];
	lines.push(...THREADS.map(([thread]) => `thread ${thread}`));
	THREADS.forEach(([, samples], thread) => {
		const stack = [['main', FILES[0], 10]];
		for (let ms = thread * 31; ms < samples; ) {
			const run = 1 + any(40);
			for (let change = any(4); change > 0; change--) {
				if (stack.length > 1 && any(2)) stack.pop();
				else if (stack.length < 12) {
					const [name, file] = any(4) ? functions[any(60)] : stack.at(-1);
					stack.push([name, file, 10 + any(4)]);
				}
			}
			const kind = any(10);
			const state = kind < 5 ? 'cpu' : kind < 6 ? 'ready' : kind < 9 ? 'waiting' : 'unknown';
			let flags = state === 'cpu' && any(2) ? 1 : state === 'waiting' && any(3) === 0 ? 2 : 0;
			if (flags === 1 && any(5) === 0) flags |= 4;
			const text = stack.map(([name, file, line]) => `${name}@${file}:${line}`).join(';');
			if (any(30) === 0) lines.push(`sample ${ms} ${run} ${thread} ${state} ${any(2) ? 16 : 0} -`);
			else
				lines.push(`sample ${ms} ${run} ${thread} ${state} ${flags | (any(25) ? 0 : 8)} ${text}`);
			ms += run;
		}
	});
	return lines;
}

// ---- what the command says --------------------------------------------------------------------------

/** Self and total by name, of folded stacks; what comes twice in a stack counts once. */
function sumsOf(folded) {
	const sums = new Map();
	const row = (name) => {
		if (!sums.has(name)) sums.set(name, { self: 0, total: 0 });
		return sums.get(name);
	};
	for (const line of folded.split('\n').filter(Boolean)) {
		const at = line.lastIndexOf(' ');
		const frames = line.slice(0, at).split(';');
		const count = Number(line.slice(at + 1));
		row(frames.at(-1)).self += count;
		for (const name of new Set(frames)) row(name).total += count;
	}
	return sums;
}

const asRows = (sums) =>
	[...sums].map(([name, { self, total }]) => `${name}: ${self} ${total}`).sort();

// ---- what the page shows ----------------------------------------------------------------------------

const count = (cell) => Number((cell.split(' · ')[0] || '0').replaceAll(' ', '') || 0);

/** The rows of the visible table, all of them, in samples. */
async function shownRows(view) {
	const rows = await view.rows();
	const said = plain(await view.page.locator('#panel-table [role=status]').innerText());
	assert.equal(
		Number(/^[\d ]+/.exec(said)[0].replaceAll(' ', '')),
		rows.length,
		'all rows are in the page',
	);
	return rows
		.map((row) => {
			const name = row.Function ?? row.File ?? row.Module;
			const place = row.Function === undefined ? '' : (row.Line ?? row.File);
			return `${place ? `${name} (${place})` : name}: ${count(row.Self)} ${count(row.Total)}`;
		})
		.sort();
}

let capture;
let view;

before(async () => {
	await start();
	capture = describe(randomLines());
	// so high that no row is out of sight
	view = await open(report(capture), { height: 7000, fragment: 'view=table&unit=samples' });
});
after(async () => {
	await view.close();
	await stop();
});

/** Goes there by the address and compares with what the options leave. */
async function compare(fragment, ...options) {
	await view.go(`view=table&unit=samples${fragment ? `&${fragment}` : ''}`);
	const level = /by=(\w+)/.exec(fragment)?.[1] ?? 'functions';
	const folded = exported(capture, '-f', 'folded', `--${level}`, ...options);
	assert.deepEqual(
		await shownRows(view),
		asRows(sumsOf(folded)),
		`${fragment} and ${options.join(' ')}`,
	);
	return folded;
}

const LEVELS = ['functions', 'lines', 'files', 'modules'];
const MODES = { wall: [], cpu: ['--cpu'], gil: ['--gil'] };

test('all modes and granularities', async () => {
	for (const level of LEVELS) {
		for (const [mode, options] of Object.entries(MODES)) {
			const folded = await compare(`by=${level}&mode=${mode}`, ...options);
			assert.ok(folded.length > 100);
		}
	}
});

test('idle is what --cpu leaves out', async () => {
	for (const level of LEVELS) {
		const [wall, cpu] = [[], ['--cpu']].map((options) =>
			sumsOf(exported(capture, '-f', 'folded', `--${level}`, ...options)),
		);
		for (const [name, { self, total }] of cpu) {
			const row = wall.get(name);
			row.self -= self;
			row.total -= total;
			if (row.total === 0) wall.delete(name);
		}
		await view.go(`view=table&unit=samples&by=${level}&mode=idle`);
		assert.deepEqual(await shownRows(view), asRows(wall), level);
	}
});

test('ranges of time, to the nanosecond', async () => {
	for (const [from, to] of [
		['0s', '1s'],
		['1.2s', '3.5s'],
		['999ms', '1000ms'],
		['1.0005s', '2.0005s'],
		['3.9s', '4s'],
		['1.234567891s', '1.9s'],
	]) {
		await compare(`range=${from}..${to}`, '--from', from, '--to', to);
	}
	await compare(
		'by=modules&mode=cpu&range=500ms..2500ms',
		'--cpu',
		'--from',
		'500ms',
		'--to',
		'2500ms',
	);
});

test('a range that was dragged', async () => {
	await view.go('view=table&unit=samples');
	await view.page.setViewportSize({ width: 1300, height: 1300 });
	await view.settle();
	await view.drag('MainThread', 700, 2200, [0, 4000]);
	const { range } = await view.fragment();
	await view.page.setViewportSize({ width: 1300, height: 7000 });
	await view.settle();
	const nanos = range.split('..').map((text) => {
		const scale = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 }[/[a-z]+$/.exec(text)[0]];
		return Math.round(Number.parseFloat(text) * scale);
	});
	const seconds = nanos.map(
		(ns) => `${Math.floor(ns / 1e9)}.${String(ns % 1e9).padStart(9, '0')}s`,
	);
	await compare(`range=${range}`, '--from', seconds[0], '--to', seconds[1]);
});

test('threads and processes', async () => {
	await compare('hidden=1-5', '--thread', '100');
	await compare('hidden=0,2-5', '--thread', '101');
	await compare('hidden=0,1,4,5', '--thread', '^pool_2$');
	await compare('hidden=4,5', '--process', 'shop');
	await compare('hidden=0-3&mode=cpu&by=files', '--process', '200', '--cpu');
	// by hand: what the list of threads leaves
	await view.go('view=table&unit=samples');
	await view.page
		.getByRole('button', { name: /threads/ })
		.first()
		.click();
	await view.page.getByRole('searchbox', { name: 'Filter the list of threads' }).fill('job');
	await view.settle();
	await view.page.getByRole('button', { name: 'None', exact: true }).click();
	await view.press('Escape');
	const folded = exported(capture, '-f', 'folded', '--functions', '--process', 'shop');
	assert.deepEqual(await shownRows(view), asRows(sumsOf(folded)));
});

/** The row of a function in the capture, as links have it. */
async function rowOf(name) {
	await view.go('view=table&unit=samples&hidden=');
	await view.row(name).click({ button: 'right' });
	await view.item('Drop stacks with it');
	return Number((await view.fragment()).drop);
}

test('focus, only, drop, merge: --root, --focus, --ignore, --hide', async () => {
	for (const name of ['f3', 'f17', 'main']) {
		const row = await rowOf(name);
		const regex = `^${name} `;
		await compare(`drop=${row}`, '--ignore', regex);
		await compare(`only=${row}`, '--focus', regex);
		await compare(`focus=${row}`, '--root', regex);
		await compare(`merge=${row}`, '--hide', regex);
		await compare(`by=lines&focus=${row}`, '--root', regex);
		await compare(`by=modules&merge=${row}&mode=cpu`, '--hide', regex, '--cpu');
		await compare(
			`by=files&only=${row}&range=1s..3s`,
			'--focus',
			regex,
			'--from',
			'1s',
			'--to',
			'3s',
		);
	}
	const [a, b] = [await rowOf('f3'), await rowOf('f8')];
	await compare(`only=${a}&only=${b}`, '--focus', '^f3 ', '--focus', '^f8 ');
	await compare(`drop=${a}&drop=${b}`, '--ignore', '^f3 ', '--ignore', '^f8 ');
	await compare(`merge=${a}&merge=${b}`, '--hide', '^f3 ', '--hide', '^f8 ');
	await compare(`drop=${a}&merge=${b}&mode=gil`, '--ignore', '^f3 ', '--hide', '^f8 ', '--gil');
});

test('recursion', async () => {
	for (const level of LEVELS) {
		await compare(`by=${level}&recursion=all`, '--collapse-recursion');
	}
	const row = await rowOf('f3');
	await compare(`recursion=all&drop=${row}`, '--collapse-recursion', '--ignore', '^f3 ');
});

test('all of it at once', async () => {
	const row = await rowOf('f8');
	await compare(
		`by=lines&mode=cpu&range=500ms..3s&hidden=0,4,5&drop=${row}&recursion=all`,
		...['--cpu', '--from', '500ms', '--to', '3s', '--ignore', '^f8 ', '--collapse-recursion'],
		...['101', '102', '103'].flatMap((tid) => ['--thread', tid]),
	);
});

test('the call tree too, and what is exported as folded text', async () => {
	for (const [fragment, options] of [
		['', []],
		['mode=cpu&by=modules', ['--cpu', '--modules']],
		['range=1s..2s&by=lines', ['--from', '1s', '--to', '2s', '--lines']],
	]) {
		await view.go(`view=flame&${fragment}`);
		await view.click('Export');
		const { bytes } = await view.download(() => view.item('Save as folded text'));
		const level = options.some((o) => /modules|lines/.test(o)) ? [] : ['--functions'];
		const theirs = exported(capture, '-f', 'folded', ...level, ...options);
		const sorted = (text) => text.trim().split('\n').sort();
		assert.deepEqual(sorted(bytes.toString('utf8')), sorted(theirs), fragment);
	}
});

/** "self % and total %, function, file" of each line of the tables of `-f text`. */
function textRows(text) {
	const found = new Map();
	for (const line of text.split('\n')) {
		const match = /^ *(\S.*?) +([\d.]+)% +(\S.*?) +([\d.]+)% +(\S+|\(.*?\))(?: {2,}(\S.*))?$/.exec(
			line,
		);
		if (match)
			found.set(match[6] ? `${match[5]} (${match[6].trim()})` : match[5], [
				match[1],
				match[2],
				match[3],
				match[4],
			]);
	}
	return found;
}

test('as export -f text prints them', async () => {
	for (const [fragment, options] of [
		['', []],
		['mode=cpu', ['--cpu']],
		['range=1s..3s&mode=gil', ['--gil', '--from', '1s', '--to', '3s']],
	]) {
		await view.go(`view=table&${fragment}`);
		const text = exported(capture, '-f', 'text', '--functions', '--rows', '1000', ...options);
		const printed = textRows(text);
		const rows = (await view.rows()).filter((row) => !/\.\.\./.test(row.File));
		let compared = 0;
		for (const row of rows) {
			const theirs = printed.get(row.File ? `${row.Function} (${row.File})` : row.Function);
			if (!theirs) continue; // its name was cut to the columns of a terminal
			compared++;
			const near = (share, percent) =>
				assert.ok(
					Math.abs(Number.parseFloat(share.replace('<', '')) - Number(percent)) <= 0.11,
					`${row.Function}: ${share} and ${percent} %`,
				);
			if (row.Self) near(row.Self.split(' · ')[1], theirs[1]);
			near(row.Total.split(' · ')[1], theirs[3]);
		}
		assert.ok(compared > 30 && compared === printed.size, `${compared} of ${printed.size} lines`);
	}
});

test('captures that are hard to count', async () => {
	for (const name of ['recursion', 'states', 'processes', 'origins', 'threads', 'gaps']) {
		const path = golden(name);
		const other = await open(report(path), { height: 3000, fragment: 'view=table&unit=samples' });
		for (const [level, mode] of [
			...LEVELS.map((each) => [each, 'wall']),
			['functions', 'cpu'],
			['lines', 'gil'],
		]) {
			await other.go(`view=table&unit=samples&by=${level}&mode=${mode}`);
			const folded = exported(path, '-f', 'folded', `--${level}`, ...MODES[mode]);
			assert.deepEqual(await shownRows(other), asRows(sumsOf(folded)), `${name} ${level} ${mode}`);
		}
		await other.close();
	}
});
