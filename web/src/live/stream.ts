// SPDX-License-Identifier: MIT
/**
 * The connection to `fireglass serve`: pieces of the recording as they come, each its length (four
 * bytes, the low one first) and then the gzipped data of a page. A connection that is lost is made
 * again, from where it ended.
 */
import type { Capture } from '../data/capture.js';
import { decodeCapture } from '../data/decode.js';
import { damaged } from '../data/numbers.js';
import { gunzip } from '../data/unpack.js';
import { whyNot } from './control.js';

const PIECE_MOST = 2 ** 28; // bytes, packed
const SILENT_MS = 20_000; // after which nobody is there any more: something comes every second
const FIRST_MS = 500; // of waiting; then twice as long each time
const LONGEST_MS = 15_000;

/** Takes bytes as they come and gives whole pieces. */
export interface Splitter {
	add(bytes: Uint8Array): Uint8Array[];
}

export function makeSplitter(): Splitter {
	let kept: Uint8Array[] = [];
	let length = 0;
	const all = (): Uint8Array => {
		const [first] = kept;
		if (first && kept.length === 1) return first;
		const out = new Uint8Array(length);
		let at = 0;
		for (const piece of kept) {
			out.set(piece, at);
			at += piece.length;
		}
		kept = [out];
		return out;
	};
	const wanted = (bytes: Uint8Array): number => {
		const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
		if (size > PIECE_MOST) damaged(`a piece of it would have ${size} bytes`);
		return size + 4;
	};
	let needs = 4;
	return {
		add(bytes) {
			kept.push(bytes);
			length += bytes.length;
			const pieces: Uint8Array[] = [];
			while (length >= needs) {
				const have = all();
				needs = wanted(have);
				if (length < needs) break;
				if (needs > 4) pieces.push(have.subarray(4, needs));
				kept = [have.subarray(needs)];
				length -= needs;
				needs = 4;
			}
			return pieces;
		},
	};
}

export type Link =
	| { readonly is: 'connecting' | 'live' }
	| { readonly is: 'lost'; readonly why: string; readonly againMs: number }
	| { readonly is: 'refused'; readonly why: string };

export interface StreamHost {
	/** Where to go on, in nanoseconds since the epoch; 0n: with all that there is. */
	since(): bigint;
	/** The next piece; `start` tells recordings apart. */
	take(piece: Capture, start: string): void;
	tell(link: Link): void;
	/** Whether it is known that nothing will come. */
	rests(): boolean;
	/** The stream, or an answer that says why there is none. */
	open(since: bigint, signal: AbortSignal): Promise<Response>;
}

export interface Stream {
	/** Tries at once, if it waits to try again. */
	now(): void;
	stop(): void;
}

/** It makes no sense to try again soon. */
class Refused extends Error {}

async function readStream(response: Response, host: StreamHost, alive: () => void): Promise<void> {
	const start = response.headers.get('X-Fireglass-Start') ?? '';
	const reader = response.body?.getReader();
	if (!reader) throw new Error('the answer is empty');
	const splitter = makeSplitter();
	for (;;) {
		const { done, value } = await reader.read();
		if (done) throw new Error('the server ended the connection');
		alive();
		for (const packed of splitter.add(value)) {
			host.take(decodeCapture(await gunzip(packed)), start);
			alive();
		}
	}
}

async function connect(host: StreamHost, signal: AbortController): Promise<never> {
	let silent: ReturnType<typeof setTimeout> | undefined;
	const alive = (): void => {
		clearTimeout(silent);
		silent = setTimeout(() => {
			if (host.rests()) alive();
			else signal.abort(new Error('nothing comes any more'));
		}, SILENT_MS);
	};
	try {
		alive();
		const response = await host.open(host.since(), signal.signal);
		if ([401, 403, 404].includes(response.status)) throw new Refused(await whyNot(response));
		if (!response.ok) throw new Error(await whyNot(response));
		host.tell({ is: 'live' });
		await readStream(response, host, alive);
		throw new Error('the server ended the connection');
	} finally {
		clearTimeout(silent);
	}
}

const wordsOf = (error: unknown): string => {
	// what browsers say of a server that is not there
	if (error instanceof TypeError) return 'the server does not answer';
	return error instanceof Error ? error.message : String(error);
};

/** Reads for as long as it is not stopped. */
export function openStream(host: StreamHost): Stream {
	let stopped = false;
	let wake: (() => void) | null = null;
	let abort = new AbortController();
	const wait = (ms: number): Promise<void> =>
		new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	const run = async (): Promise<void> => {
		for (let failed = 0; !stopped; failed++) {
			host.tell({ is: 'connecting' });
			abort = new AbortController();
			const began = Date.now();
			try {
				await connect(host, abort);
			} catch (error) {
				if (stopped) return;
				abort.abort();
				if (Date.now() - began > LONGEST_MS) failed = 0;
				const why = wordsOf(error);
				const refused = error instanceof Refused;
				const ms = refused ? LONGEST_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** failed);
				const againMs = ms * (0.8 + Math.random() * 0.4);
				host.tell(refused ? { is: 'refused', why } : { is: 'lost', why, againMs });
				await wait(againMs);
			}
		}
	};
	void run();
	const now = (): void => wake?.();
	if (typeof addEventListener === 'function') addEventListener('online', now);
	return {
		now,
		stop() {
			stopped = true;
			abort.abort();
			now();
		},
	};
}
