// SPDX-License-Identifier: MIT
#include "os/elf.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

#define PAGE_BYTES 4096 // the smallest page there is
#define PHDRS_MAX 256
#define DYNAMIC_ENTRIES_MAX 512
#define NOTE_BYTES_MAX 1024
#define NOTE_SEGMENTS_MAX 8
#define HASH_BUCKETS_MAX (1u << 24)
#define HASH_CHAIN_MAX 4096 // symbols looked at for one name
#define CHAIN_BLOCK 16
#define SYMBOL_NAME_MAX 255
#define NAME_HASHES_MAX 16 // names of equal hash that are read for one look-up

/* The headers of an object while it is being opened. */
struct headers {
	unsigned char page[PAGE_BYTES]; // the first bytes of the image
	size_t page_bytes;              // how many of them were read
	Elf64_Phdr phdrs[PHDRS_MAX];
	size_t phdr_count;
	remote_addr low, high; // the addresses in the file that are loaded: [low, high)
	Elf64_Dyn dynamic[DYNAMIC_ENTRIES_MAX];
};

static bool is_usable_header(const Elf64_Ehdr *ehdr)
{
	return memcmp(ehdr->e_ident, ELFMAG, SELFMAG) == 0 &&
		ehdr->e_ident[EI_CLASS] == ELFCLASS64 && ehdr->e_ident[EI_DATA] == ELFDATA2LSB &&
		(ehdr->e_type == ET_EXEC || ehdr->e_type == ET_DYN) &&
		ehdr->e_phentsize == sizeof(Elf64_Phdr) && ehdr->e_phnum > 0 &&
		ehdr->e_phnum <= PHDRS_MAX;
}

static enum read_status read_headers(
	struct mem_reader *mem, const struct map *first, Elf64_Ehdr *ehdr, struct headers *h)
{
	size_t map_bytes = first->end - first->start;

	h->page_bytes = map_bytes < PAGE_BYTES ? map_bytes : PAGE_BYTES;
	if (h->page_bytes < sizeof(*ehdr))
		return READ_FAULT;
	enum read_status status = mem_read(mem, first->start, h->page, h->page_bytes);
	if (status != READ_OK)
		return status;
	memcpy(ehdr, h->page, sizeof(*ehdr));
	if (!is_usable_header(ehdr))
		return READ_FAULT;
	h->phdr_count = ehdr->e_phnum;
	size_t bytes = h->phdr_count * sizeof(Elf64_Phdr);
	if (ehdr->e_phoff <= h->page_bytes && bytes <= h->page_bytes - ehdr->e_phoff) {
		memcpy(h->phdrs, h->page + ehdr->e_phoff, bytes);
		return READ_OK;
	}
	if (ehdr->e_phoff > map_bytes || bytes > map_bytes - ehdr->e_phoff)
		return READ_FAULT;
	return mem_read(mem, first->start + ehdr->e_phoff, h->phdrs, bytes);
}

/* Finds where the file's addresses begin and end, and the bias. False if it cannot be loaded so. */
static bool find_bias(struct headers *h, remote_addr base, uint16_t type, remote_addr *bias_ret)
{
	const Elf64_Phdr *head = NULL;

	h->low = UINT64_MAX;
	h->high = 0;
	for (size_t i = 0; i < h->phdr_count; i++) {
		const Elf64_Phdr *p = &h->phdrs[i];
		remote_addr end;

		if (p->p_type != PT_LOAD || __builtin_add_overflow(p->p_vaddr, p->p_memsz, &end))
			continue;
		if (p->p_vaddr < h->low)
			h->low = p->p_vaddr;
		if (end > h->high)
			h->high = end;
		if (!head || p->p_offset < head->p_offset)
			head = p;
	}
	// offset and address are congruent modulo the page, so this needs no page size
	if (!head || head->p_offset >= PAGE_BYTES)
		return false;
	*bias_ret = base - (head->p_vaddr - head->p_offset);
	return type == ET_DYN || *bias_ret == 0;
}

static bool is_loaded(const struct headers *h, uint64_t vaddr, uint64_t bytes)
{
	for (size_t i = 0; i < h->phdr_count; i++) {
		const Elf64_Phdr *p = &h->phdrs[i];

		if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && bytes <= p->p_memsz &&
			vaddr - p->p_vaddr <= p->p_memsz - bytes)
			return true;
	}
	return false;
}

static size_t padded(size_t bytes, size_t align)
{
	return (bytes + align - 1) & ~(align - 1);
}

size_t elf_notes_build_id(
	const void *notes, size_t len, uint64_t align, uint8_t id_ret[ELF_BUILD_ID_MAX])
{
	size_t unit = align == 8 ? 8 : 4;
	const unsigned char *at = notes;
	Elf64_Nhdr note;

	while (len >= sizeof(note)) {
		memcpy(&note, at, sizeof(note));
		size_t body = padded(sizeof(note) + note.n_namesz, unit);
		if (body > len || note.n_descsz > len - body)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
			memcmp(at + sizeof(note), "GNU", 4) == 0 && note.n_descsz > 0 &&
			note.n_descsz <= ELF_BUILD_ID_MAX) {
			memcpy(id_ret, at + body, note.n_descsz);
			return note.n_descsz;
		}
		size_t whole = body + padded(note.n_descsz, unit);
		if (whole > len)
			return 0;
		at += whole;
		len -= whole;
	}
	return 0;
}

/*
 * Pointers of the dynamic section are addresses in memory where glibc has relocated them, and
 * addresses in the file elsewhere (musl, vDSO, read-only dynamic sections). 0 = neither.
 */
static remote_addr dynamic_address(const struct headers *h, remote_addr bias, uint64_t value)
{
	if (value - bias >= h->low && value - bias < h->high)
		return value;
	if (value >= h->low && value < h->high)
		return value + bias;
	return 0;
}

static void use_dynamic(const struct headers *h, size_t count, struct elf_image *image)
{
	for (size_t i = 0; i < count && h->dynamic[i].d_tag != DT_NULL; i++) {
		uint64_t value = h->dynamic[i].d_un.d_val;
		remote_addr address = dynamic_address(h, image->bias, value);

		switch (h->dynamic[i].d_tag) {
		case DT_SYMTAB:
			image->symtab = address;
			break;
		case DT_STRTAB:
			image->strtab = address;
			break;
		case DT_STRSZ:
			image->strtab_bytes = value;
			break;
		case DT_GNU_HASH:
			image->gnu_hash = address;
			break;
		case DT_HASH:
			image->sysv_hash = address;
			break;
		default:
			break;
		}
	}
}

/* Pieces of the image that lie beyond its first page, to be read in one go. */
struct pieces {
	struct mem_range ranges[1 + NOTE_SEGMENTS_MAX];
	uint64_t note_aligns[1 + NOTE_SEGMENTS_MAX];
	size_t count, dynamic_entries;
	unsigned char notes[NOTE_SEGMENTS_MAX][NOTE_BYTES_MAX];
};

static void add_dynamic(struct pieces *pieces, struct headers *h, remote_addr bias)
{
	for (size_t i = 0; i < h->phdr_count; i++) {
		const Elf64_Phdr *p = &h->phdrs[i];

		if (p->p_type != PT_DYNAMIC || !is_loaded(h, p->p_vaddr, p->p_memsz))
			continue;
		size_t entries = p->p_memsz / sizeof(Elf64_Dyn);
		if (entries > DYNAMIC_ENTRIES_MAX)
			entries = DYNAMIC_ENTRIES_MAX;
		pieces->dynamic_entries = entries;
		pieces->ranges[pieces->count++] = (struct mem_range){
			.addr = bias + p->p_vaddr,
			.buf = h->dynamic,
			.len = entries * sizeof(Elf64_Dyn),
		};
		return;
	}
}

/* Looks for the build id in the first page, and lists the notes that are not in it. */
static void add_notes(struct pieces *pieces, const struct headers *h, struct elf_image *image)
{
	size_t notes = 0;

	for (size_t i = 0; i < h->phdr_count && notes < NOTE_SEGMENTS_MAX; i++) {
		const Elf64_Phdr *p = &h->phdrs[i];
		uint64_t bytes = p->p_filesz;

		if (p->p_type != PT_NOTE || !is_loaded(h, p->p_vaddr, bytes))
			continue;
		if (bytes > NOTE_BYTES_MAX)
			bytes = NOTE_BYTES_MAX;
		remote_addr at = image->bias + p->p_vaddr - image->base;
		if (at <= h->page_bytes && bytes <= h->page_bytes - at) {
			if (image->build_id_len == 0)
				image->build_id_len = elf_notes_build_id(
					h->page + at, bytes, p->p_align, image->build_id);
			continue;
		}
		pieces->note_aligns[pieces->count] = p->p_align;
		pieces->ranges[pieces->count++] = (struct mem_range){
			.addr = image->base + at, .buf = pieces->notes[notes++], .len = bytes
		};
	}
}

static void use_notes(
	const struct pieces *pieces, size_t first, size_t whole, struct elf_image *image)
{
	for (size_t i = first; i < whole && image->build_id_len == 0; i++)
		image->build_id_len = elf_notes_build_id(pieces->ranges[i].buf,
			pieces->ranges[i].len, pieces->note_aligns[i], image->build_id);
}

static enum read_status read_pieces(
	struct mem_reader *mem, struct headers *h, struct elf_image *image)
{
	struct pieces pieces = { .count = 0 };
	size_t whole = 0;

	add_dynamic(&pieces, h, image->bias);
	size_t notes_from = pieces.count;
	add_notes(&pieces, h, image);
	if (image->build_id_len)
		pieces.count = notes_from;
	if (pieces.count == 0)
		return READ_OK;
	enum read_status status = mem_readv(mem, pieces.ranges, pieces.count, &whole);
	// an object can do without the notes
	if (status != READ_OK && (status != READ_FAULT || whole < notes_from))
		return status;
	if (notes_from)
		use_dynamic(h, pieces.dynamic_entries, image);
	use_notes(&pieces, notes_from, whole, image);
	return READ_OK;
}

enum read_status elf_image_open(
	struct mem_reader *mem, const struct map *first, struct elf_image *ret)
{
	struct elf_image image = { .base = first->start };
	struct headers h;
	Elf64_Ehdr ehdr;

	enum read_status status = read_headers(mem, first, &ehdr, &h);
	if (status != READ_OK)
		return status;
	if (!find_bias(&h, image.base, ehdr.e_type, &image.bias))
		return READ_FAULT;
	image.machine = ehdr.e_machine;
	status = read_pieces(mem, &h, &image);
	if (status != READ_OK)
		return status;
	if (!image.symtab || !image.strtab)
		image.symtab = image.strtab = image.gnu_hash = image.sysv_hash = 0;
	*ret = image;
	return READ_OK;
}

/* A name that is looked up. */
struct wanted {
	const char *name;
	size_t bytes; // with the final 0
	size_t names_read;
};

static bool is_wanted(struct mem_reader *mem, const struct elf_image *image,
	const Elf64_Sym *symbol, struct wanted *wanted)
{
	char name[SYMBOL_NAME_MAX + 1];

	if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) == STT_TLS)
		return false;
	if (symbol->st_name >= image->strtab_bytes ||
		wanted->bytes > image->strtab_bytes - symbol->st_name)
		return false;
	if (mem_read(mem, image->strtab + symbol->st_name, name, wanted->bytes) != READ_OK)
		return false;
	return memcmp(name, wanted->name, wanted->bytes) == 0;
}

static struct elf_symbol located(const struct elf_image *image, const Elf64_Sym *symbol)
{
	remote_addr bias = symbol->st_shndx == SHN_ABS ? 0 : image->bias;

	return (struct elf_symbol){ .address = symbol->st_value + bias, .size = symbol->st_size };
}

static remote_addr symbol_address(const struct elf_image *image, uint32_t index)
{
	return image->symtab + (uint64_t)index * sizeof(Elf64_Sym);
}

/* The header of DT_GNU_HASH; after it `bloom_words` u64, `buckets` u32, then the chains. */
struct gnu_hash_header {
	uint32_t buckets, first_symbol, bloom_words, bloom_shift;
};

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t h = 5381;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = h * 33 + *p;
	return h;
}

/* The first symbol of the bucket; 0 = there is none. */
static bool gnu_bucket(struct mem_reader *mem, remote_addr table,
	const struct gnu_hash_header *header, uint32_t hash, uint32_t *index_ret)
{
	remote_addr bloom = table + sizeof(*header);
	remote_addr buckets = bloom + (uint64_t)header->bloom_words * 8;
	uint64_t word;
	struct mem_range ranges[] = {
		{ bloom + (uint64_t)((hash / 64) & (header->bloom_words - 1)) * 8, &word, 8 },
		{ buckets + (uint64_t)(hash % header->buckets) * 4, index_ret, 4 },
	};
	size_t whole;

	if (mem_readv(mem, ranges, ARRAY_LEN(ranges), &whole) != READ_OK)
		return false;
	uint32_t second = header->bloom_shift < 32 ? hash >> header->bloom_shift : 0;
	if (!(word >> (hash % 64) & 1) || !(word >> (second % 64) & 1))
		*index_ret = 0;
	return true;
}

static bool gnu_candidate(struct mem_reader *mem, const struct elf_image *image, uint32_t index,
	struct wanted *wanted, struct elf_symbol *ret)
{
	Elf64_Sym symbol;

	if (wanted->names_read++ >= NAME_HASHES_MAX)
		return false;
	if (mem_read(mem, symbol_address(image, index), &symbol, sizeof(symbol)) != READ_OK)
		return false;
	if (!is_wanted(mem, image, &symbol, wanted))
		return false;
	*ret = located(image, &symbol);
	return true;
}

/* Follows the chain that begins at symbol `index`; the table of chains begins at `chains`. */
static bool gnu_chain(struct mem_reader *mem, const struct elf_image *image, remote_addr chains,
	uint32_t index, uint32_t first_symbol, uint32_t hash, struct wanted *wanted,
	struct elf_symbol *ret)
{
	uint32_t block[CHAIN_BLOCK];

	for (size_t looked = 0; looked < HASH_CHAIN_MAX;) {
		remote_addr at = chains + (uint64_t)(index - first_symbol) * 4;
		// never across a page, beyond which nothing may be mapped
		size_t count = (PAGE_BYTES - at % PAGE_BYTES) / 4;

		if (count > CHAIN_BLOCK)
			count = CHAIN_BLOCK;
		if (count == 0 || mem_read(mem, at, block, count * 4) != READ_OK)
			return false;
		for (size_t i = 0; i < count; i++, index++) {
			if ((block[i] | 1) == (hash | 1) &&
				gnu_candidate(mem, image, index, wanted, ret))
				return true;
			if (block[i] & 1)
				return false;
		}
		looked += count;
	}
	return false;
}

static bool gnu_look_up(struct mem_reader *mem, const struct elf_image *image,
	struct wanted *wanted, struct elf_symbol *ret)
{
	uint32_t hash = gnu_hash_of(wanted->name), index;
	struct gnu_hash_header header;

	if (mem_read(mem, image->gnu_hash, &header, sizeof(header)) != READ_OK)
		return false;
	if (header.buckets == 0 || header.buckets > HASH_BUCKETS_MAX || header.bloom_words == 0 ||
		header.bloom_words > HASH_BUCKETS_MAX)
		return false;
	if (!gnu_bucket(mem, image->gnu_hash, &header, hash, &index))
		return false;
	if (index == 0 || index < header.first_symbol)
		return false;
	remote_addr chains = image->gnu_hash + sizeof(header) + (uint64_t)header.bloom_words * 8 +
		(uint64_t)header.buckets * 4;
	return gnu_chain(mem, image, chains, index, header.first_symbol, hash, wanted, ret);
}

static uint32_t sysv_hash_of(const char *name)
{
	uint32_t h = 0;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		h = (h << 4) + *p;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

static bool sysv_look_up(struct mem_reader *mem, const struct elf_image *image,
	struct wanted *wanted, struct elf_symbol *ret)
{
	struct {
		uint32_t buckets, chains;
	} header;
	uint32_t index;

	if (mem_read(mem, image->sysv_hash, &header, sizeof(header)) != READ_OK ||
		header.buckets == 0 || header.buckets > HASH_BUCKETS_MAX)
		return false;
	remote_addr buckets = image->sysv_hash + sizeof(header);
	remote_addr chains = buckets + (uint64_t)header.buckets * 4;
	remote_addr at = buckets + (uint64_t)(sysv_hash_of(wanted->name) % header.buckets) * 4;
	if (mem_read(mem, at, &index, sizeof(index)) != READ_OK)
		return false;
	for (size_t looked = 0; looked < HASH_CHAIN_MAX && index && index < header.chains;
		looked++) {
		Elf64_Sym symbol;
		uint32_t next;
		struct mem_range ranges[] = {
			{ symbol_address(image, index), &symbol, sizeof(symbol) },
			{ chains + (uint64_t)index * 4, &next, sizeof(next) },
		};
		size_t whole;

		if (mem_readv(mem, ranges, ARRAY_LEN(ranges), &whole) != READ_OK)
			return false;
		if (is_wanted(mem, image, &symbol, wanted)) {
			*ret = located(image, &symbol);
			return true;
		}
		index = next;
	}
	return false;
}

bool elf_image_symbol(struct mem_reader *mem, const struct elf_image *image, const char *name,
	struct elf_symbol *ret)
{
	struct wanted wanted = { .name = name, .bytes = strlen(name) + 1 };

	if (wanted.bytes > SYMBOL_NAME_MAX + 1)
		return false;
	if (image->gnu_hash && gnu_look_up(mem, image, &wanted, ret))
		return true;
	// only when there is no other table: both list the same symbols
	return !image->gnu_hash && image->sysv_hash && sysv_look_up(mem, image, &wanted, ret);
}
