// SPDX-License-Identifier: MIT
#include "harness/cluster/seed.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <set>

#include "harness/base/fd.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

struct CloseArchive {
    void operator()(archive* writer) const { archive_write_free(writer); }
};
using Writer = std::unique_ptr<archive, CloseArchive>;

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

// Folders that are private on every image; tar sets the mode of what it finds there already.
unsigned folder_mode(const std::string& path) {
    static const std::set<std::string> closed{"root", "root/.ssh", "etc/openmosix", "etc/dropbear"};
    return closed.contains(path) ? 0700 : 0755;
}

// Where a program of build/guest/bin belongs on a node.
std::string place_of(const fs::path& relative) {
    const std::string name = relative.string();
    if (name == "omd") {
        return "usr/local/sbin/omd";
    }
    if (name == "mosrig-run" || relative.has_parent_path()) {
        return "usr/local/lib/mosrig/" + name;
    }
    return "usr/local/bin/" + name;
}

bool put_entry(archive* writer, const std::string& path, unsigned type, unsigned mode,
               const std::string& content, const std::string& link = "") {
    const Entry entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), mode);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    if (!link.empty()) {
        archive_entry_set_symlink(entry.get(), link.c_str());
    }
    return archive_write_header(writer, entry.get()) == ARCHIVE_OK &&
           archive_write_data(writer, content.data(), content.size()) ==
               static_cast<la_ssize_t>(content.size());
}

// The folders above all files, parents first.
std::set<std::string> folders_of(const SeedFiles& files) {
    std::set<std::string> folders;
    for (const auto& [path, file] : files) {
        for (std::size_t at = path.find('/'); at != std::string::npos;
             at = path.find('/', at + 1)) {
            folders.insert(path.substr(0, at));
        }
    }
    return folders;
}

Result<void> add_tree(const fs::path& folder, SeedFiles& files,
                      std::string (*place)(const fs::path&)) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        const fs::path relative = at->path().lexically_relative(folder);
        if (at->is_symlink(error)) {
            const fs::path link = fs::read_symlink(at->path(), error);
            files[place(relative)] = {0777U, "", link.string()};
            continue;
        }
        if (!at->is_regular_file(error)) {
            continue;
        }
        MOSRIG_TRY(std::string content, read_text_file(at->path()));
        const bool executable =
            (at->status().permissions() & fs::perms::owner_exec) != fs::perms::none;
        files[place(relative)] = {executable ? 0755U : 0644U, std::move(content)};
    }
    if (error) {
        return errno_error(fmt::format("cannot read {}", folder.string()), error.value());
    }
    return {};
}

}  // namespace

Result<void> add_rendered_files(const fs::path& folder, SeedFiles& files) {
    return add_tree(folder, files, [](const fs::path& relative) { return relative.string(); });
}

Result<void> add_guest_programs(const fs::path& guest_bin, SeedFiles& files) {
    if (!fs::exists(guest_bin / "mosrig-run")) {
        return infra_error(fmt::format("{} has no programs for the nodes", guest_bin.string()),
                           "run `make build`");
    }
    MOSRIG_CHECK(add_tree(guest_bin, files, place_of));
    const fs::path share = guest_bin.parent_path() / "share";
    if (!fs::exists(share)) {
        return {};
    }
    return add_tree(share, files, [](const fs::path& relative) {
        return "usr/local/share/" + relative.string();
    });
}

void add_keys(const ClusterKeys& keys, SeedFiles& files) {
    files["root/.ssh/authorized_keys"] = {0600, keys.authorized_keys};
    files["etc/ssh/ssh_host_ed25519_key"] = {0600, keys.host_key};
    files["etc/ssh/ssh_host_ed25519_key.pub"] = {0644, keys.host_key_public};
    files["etc/dropbear/dropbear_ed25519_host_key"] = {0600, keys.dropbear_host_key};
    files["etc/openmosix/key"] = {0600, keys.openmosix_key};
}

Result<void> write_seed(const SeedFiles& files, const fs::path& target) {
    // It carries keys: nobody else reads it, from its first byte on.
    const Fd fd(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) {
        return errno_error(fmt::format("cannot create {}", target.string()), errno);
    }
    const Writer writer(archive_write_new());
    bool good = archive_write_set_format_ustar(writer.get()) == ARCHIVE_OK &&
                archive_write_add_filter_none(writer.get()) == ARCHIVE_OK &&
                archive_write_open_fd(writer.get(), fd.get()) == ARCHIVE_OK;
    for (const std::string& folder : folders_of(files)) {
        good = good && put_entry(writer.get(), folder, AE_IFDIR, folder_mode(folder), "");
    }
    for (const auto& [path, file] : files) {
        good = good && put_entry(writer.get(), path, file.link.empty() ? AE_IFREG : AE_IFLNK,
                                 file.mode, file.content, file.link);
    }
    if (!good || archive_write_close(writer.get()) != ARCHIVE_OK) {
        return infra_error(fmt::format("cannot write {}: {}", target.string(),
                                       archive_error_string(writer.get())));
    }
    return {};
}

std::string digest(const SeedFiles& files, const std::string& salt) {
    crypto_generichash_state state;
    std::array<unsigned char, crypto_generichash_BYTES> sum{};
    crypto_generichash_init(&state, nullptr, 0, sum.size());
    auto mix = [&state](const std::string& text) {
        const std::string length = fmt::format("{}:", text.size());
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(length.data()),
                                  length.size());
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
    };
    mix(salt);
    for (const auto& [path, file] : files) {
        mix(path);
        mix(fmt::format("{:o}", file.mode));
        mix(file.content);
        mix(file.link);
    }
    crypto_generichash_final(&state, sum.data(), sum.size());
    std::string hex(sum.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), sum.data(), sum.size());
    hex.pop_back();
    return hex;
}

}  // namespace mosrig
