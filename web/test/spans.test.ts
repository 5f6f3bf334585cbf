// SPDX-License-Identifier: MIT
/** Spans: read back from a page, selected by text, cut and compared, laid out in lanes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import { type Capture, NONE, type Span } from '../src/data/capture.js';
import { decodeCapture } from '../src/data/decode.js';
import { Shower } from '../src/model/show.js';
import { goneRows, spanLabel, spansOf } from '../src/model/spans.js';
import { makeSpanLanes } from '../src/views/timeline_lanes.js';
import { encodeCapture } from './encode.js';
import { makeCapture } from './make.js';

const ms = (n: number): number => n * 1e6;

function makeSpan(row: number, from: number, to: number | null, more: Partial<Span>): Span {
	const endNs = to === null ? null : ms(to);
	const some = { process: 0, thread: 0, parent: NONE, name: 'request', text: '' };
	return { row, startNs: ms(from), endNs, ...some, ...more };
}

/** Two requests by turns on one thread, the second with a part of its own, and one on a pool's. */
function makeSpanned(): Capture {
	const capture = makeCapture({
		threads: [
			{ samples: ['a;b', 'a;b', 'a;c', 'a;b', 'a;c', 'a;c', 'idle', 'a;b'] },
			{ samples: ['pool;d', 'pool;d'] },
		],
	});
	const spans = [
		makeSpan(0, 0, 6, { text: 'GET /cart' }),
		makeSpan(1, 2, 8, { text: 'POST /pay (1)' }),
		makeSpan(2, 4, 6, { name: 'query', parent: 1 }),
		makeSpan(3, 7, null, { text: 'GET /cart' }),
	];
	const span = Float64Array.from([1, 1, 2, 1, 3, 3, 0, 4, 1, 0]);
	return { ...capture, spans, samples: { ...capture.samples, span } };
}

const found = (capture: Capture, text: string): string => spansOf(capture, text).join('');

test('a page with spans is read back', () => {
	const capture = makeSpanned();
	const again = decodeCapture(encodeCapture(capture));
	assert.deepEqual(again.spans, capture.spans);
	assert.deepEqual(again.samples.span, capture.samples.span);
});

test('samples in spans that are not there are damage', () => {
	const capture = makeSpanned();
	const span = capture.samples.span?.map((row) => row * 2) ?? null;
	const broken = { ...capture, samples: { ...capture.samples, span } };
	assert.throws(() => decodeCapture(encodeCapture(broken)), /samples are in no span/);
});

test('a text means spans, and what is within them', () => {
	const capture = makeSpanned();
	assert.equal(found(capture, 'GET'), '01001');
	assert.equal(found(capture, '^request POST /pay \\(1\\)$'), '00110');
	assert.equal(found(capture, '#1'), '00110');
	assert.equal(found(capture, '#2'), '00010');
	assert.equal(found(capture, '^$'), '10000');
	assert.equal(found(capture, 'request~5000000~'), '01110');
	assert.equal(found(capture, 'request~~5000000'), '00001');
	assert.equal(found(capture, '('), '00110'); // none: as plain text
	assert.equal(spanLabel(capture.spans[2]), 'query');
});

test('samples outside of them are gone', () => {
	const capture = makeSpanned();
	assert.equal(goneRows(capture, ''), null);
	assert.equal(goneRows(capture, 'GET')?.join(''), '0010111001');
	assert.equal(goneRows(capture, 'GET'), goneRows(capture, 'GET'));
	assert.equal(goneRows(makeCapture({ threads: [{ samples: ['a'] }] }), 'x')?.join(''), '1');
});

test('all that adds up is cut, and compared', () => {
	const capture = makeSpanned();
	const shower = new Shower(capture, null);
	const show = (state: Partial<State>) => shower.show({ ...INITIAL, ...state });
	assert.equal(show({}).now.sum, 10);
	assert.equal(show({ spans: 'GET' }).now.sum, 5);
	assert.equal(show({ spans: '#1' }).now.sum, 3);
	const both = show({ spans: '#0', against: '#1' });
	assert.equal(both.now.sum, 4);
	assert.equal(both.before?.sum, 3);
	const ranges = [{ from: 0, to: ms(4) }];
	assert.equal(show({ spans: '#1', ranges }).now.sum, 1);
	assert.equal(show({ spans: '#1', ranges, against: '#0' }).before?.sum, 4);
	assert.equal(show({ spans: 'GET', ranges: [{ from: 0, to: ms(8) }] }).now.sum, 5);
});

test('a lane for each thread: what lies within is below, what overlaps beside it', () => {
	const lanes = makeSpanLanes(makeSpanned(), []);
	assert.deepEqual(
		lanes.map((lane) => [lane.thread, lane.levels, lane.markers.length]),
		[
			[0, 3, 4],
			[1, 1, 1],
		],
	);
	const [own, pool] = lanes;
	assert.equal([...own.level].join(), '0,1,2,0');
	// on another thread than where it began: only while it was there
	assert.deepEqual([pool.markers[0].startNs, pool.markers[0].endNs], [0, ms(1)]);
	assert.equal(makeSpanLanes(makeSpanned(), [0]).length, 1);
	assert.equal(makeSpanLanes(makeCapture({ threads: [{ samples: ['a'] }] }), []).length, 0);
});
