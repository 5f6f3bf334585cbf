// SPDX-License-Identifier: MIT
// A stand-in for `fireglass serve`, as far as the page of a live recording needs it: the page itself,
// the stream of pieces, status, start, stop and saving. What it plays, and when, a test decides:
//
//	const server = await serve(pieces.slice(0, 3));
//	server.push(pieces[3]);
//
// Or to look at it: node live_server.mjs CAPTURE.fgc..., one piece each second, over and over.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

export const TOKEN = 'a-token-of-tests';
const PROGRAM = new URL('../../build/fireglass', import.meta.url);
const DATA =
	/<script type="application\/octet-stream" id="capture">([\s\S]*?)<\/script>/;

/** What the stream carries, of a report. */
export function pieceOf(html) {
	const [element, data] = DATA.exec(html) ?? [];
	if (!element) throw new Error('this page has no capture');
	return Buffer.from(data.trim(), 'base64');
}

/** What a piece says of its times: { startNs, endNs }. */
export function timesOf(piece) {
	const bytes = gunzipSync(piece);
	const length = bytes.readUInt32LE(8);
	const json = JSON.parse(bytes.subarray(12, 12 + length).toString());
	const startNs = BigInt(json.start_ns);
	return { startNs, endNs: startNs + BigInt(json.duration_ns) };
}

/** The same piece as if it had been recorded so many nanoseconds later. */
export function later(piece, byNs) {
	const bytes = gunzipSync(piece);
	const length = bytes.readUInt32LE(8);
	const json = JSON.parse(bytes.subarray(12, 12 + length).toString());
	json.start_ns = String(BigInt(json.start_ns) + byNs);
	const text = Buffer.from(JSON.stringify(json));
	const size = Buffer.alloc(4);
	size.writeUInt32LE(text.length);
	return gzipSync(Buffer.concat([bytes.subarray(0, 8), size, text, bytes.subarray(12 + length)]));
}

function frame(piece) {
	const size = Buffer.alloc(4);
	size.writeUInt32LE(piece.length);
	return Buffer.concat([size, piece]);
}

/** The page that `fireglass serve` has, from where the program was built. */
function livePage(config) {
	const built = dirname(process.env.FIREGLASS_BIN || fileURLToPath(PROGRAM));
	const text = JSON.stringify(config);
	const data = `<script type="application/json" id="live">${text}</script>`;
	return readFileSync(join(built, 'src', 'page_live.html'), 'utf8')
		.replace('@TITLE@', 'a live page')
		.replace('@DATA@', () => data)
		.replace("default-src 'none';", "default-src 'none'; connect-src 'self';");
}

/** Listens on a port of this machine. `pieces`: there already; `saved`: the page that is given to save. */
export async function serve(pieces, { keepNs = 600e9, saved = '' } = {}) {
	const kept = pieces.map((piece) => ({ piece, ...timesOf(piece) }));
	const streams = new Set();
	const asked = [];
	let refused = ''; // why nobody is let in
	let state = 'sampling';

	const answer = (response, status, type, body) => {
		response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
		response.end(body);
	};
	const json = (response, status, value) =>
		answer(response, status, 'application/json', JSON.stringify(value));
	const stream = (response, since) => {
		response.writeHead(200, {
			'Content-Type': 'application/octet-stream',
			'X-Fireglass-Start': String(kept[0]?.startNs ?? 0n),
		});
		response.flushHeaders();
		for (const { piece, endNs } of kept) if (endNs > since) response.write(frame(piece));
		streams.add(response);
		response.on('close', () => streams.delete(response));
	};
	const server = createServer((request, response) => {
		const url = new URL(request.url, 'http://localhost');
		asked.push(`${request.method} ${url.pathname}${url.search}`);
		if (url.pathname === '/') {
			const page = livePage({ base: '/', keep_ns: keepNs, token: TOKEN });
			return answer(response, 200, 'text/html; charset=utf-8', page);
		}
		if (request.headers.authorization !== `Bearer ${TOKEN}`) {
			return json(response, 401, { error: 'the token is wrong' });
		}
		if (refused) return json(response, 503, { error: refused });
		switch (`${request.method} ${url.pathname}`) {
			case 'GET /api/v1/stream':
				return stream(response, BigInt(url.searchParams.get('since') ?? 0));
			case 'GET /api/v1/status':
				return json(response, 200, { state });
			case 'POST /api/v1/start':
			case 'POST /api/v1/stop':
				state = url.pathname.endsWith('start') ? 'sampling' : 'stopped';
				return json(response, 200, { state });
			case 'GET /api/v1/profile':
				return answer(response, 200, 'text/html', saved);
			default:
				return json(response, 404, { error: `there is no ${url.pathname}` });
		}
	});
	const listen = (port) => new Promise((done) => server.listen(port, '127.0.0.1', done));
	await listen(0);
	const { port } = server.address();
	const cut = () => {
		for (const response of streams) response.destroy();
	};
	return {
		address: `http://127.0.0.1:${port}/`,
		asked,
		/** Another piece, to all that listen. */
		push(piece) {
			kept.push({ piece, ...timesOf(piece) });
			for (const response of streams) response.write(frame(piece));
		},
		/** Bytes that are no piece. */
		write(bytes) {
			for (const response of streams) response.write(bytes);
		},
		/** How many pages listen. */
		listening: () => streams.size,
		cut,
		refuse(why) {
			refused = why;
			cut();
		},
		setState(now) {
			state = now;
		},
		async close() {
			cut();
			server.closeAllConnections?.();
			await new Promise((done) => server.close(done));
		},
		/** As if the server had been killed, and came back with `again`. */
		async vanish() {
			cut();
			server.closeAllConnections?.();
			await new Promise((done) => server.close(done));
			return { again: () => listen(port) };
		},
	};
}

async function play(captures) {
	const program = process.env.FIREGLASS_BIN || fileURLToPath(PROGRAM);
	const apart = captures.map((path) =>
		pieceOf(
			execFileSync(program, ['report', path, '-o', '-'], { encoding: 'utf8', maxBuffer: 1 << 28 }),
		),
	);
	const times = apart.map(timesOf);
	let at = times[0].startNs;
	let next = 0;
	const nextPiece = () => {
		const i = next++ % apart.length;
		const piece = later(apart[i], at - times[i].startNs);
		at += times[i].endNs - times[i].startNs;
		return piece;
	};
	const server = await serve([nextPiece()]);
	console.log(server.address);
	setInterval(() => server.push(nextPiece()), 1000);
}

if (process.argv[1] && import.meta.url.endsWith(join('/', process.argv[1].split('/').at(-1)))) {
	await play(process.argv.slice(2));
}
