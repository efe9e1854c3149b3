// SPDX-License-Identifier: MIT
#include "harness/hypervisor/kvm_probe.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

constexpr const char* qemu = "qemu-system-x86_64";
// What `mosrig-run` says when it finds itself the first process of a machine.
constexpr const char* sign_of_life = "mosrig-run: alive";
// A working KVM takes under two seconds for this; one that hangs never ends.
constexpr Millis boot_limit(20'000);

struct CloseArchive {
    void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

// An initramfs whose only file is `program`, as /init.
Result<void> write_initramfs(const fs::path& program, const fs::path& target) {
    MOSRIG_TRY(const std::string content, read_text_file(program));
    const std::unique_ptr<archive, CloseArchive> writer(archive_write_new());
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), "init");
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0755);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    const bool written = archive_write_set_format_cpio_newc(writer.get()) == ARCHIVE_OK &&
                         archive_write_add_filter_none(writer.get()) == ARCHIVE_OK &&
                         archive_write_open_filename(writer.get(), target.c_str()) == ARCHIVE_OK &&
                         archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK &&
                         archive_write_data(writer.get(), content.data(), content.size()) ==
                             static_cast<la_ssize_t>(content.size()) &&
                         archive_write_close(writer.get()) == ARCHIVE_OK;
    if (!written) {
        return infra_error(fmt::format("cannot write {}: {}", target.string(),
                                       archive_error_string(writer.get())));
    }
    return {};
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

Result<std::string> answer_key() {
    MOSRIG_TRY(const std::string boot, read_text_file("/proc/sys/kernel/random/boot_id"));
    MOSRIG_TRY(const CommandResult version,
               run_subprocess({qemu, "--version"}, Deadline("QEMU's version", Millis(20'000))));
    return first_line(boot) + " " + first_line(version.out);
}

KvmAnswer boot_under_kvm(const fs::path& kernel, const fs::path& folder, const fs::path& helper) {
    const fs::path initramfs = folder / "probe.cpio";
    KvmAnswer answer;
    answer.log = folder / "probe.log";
    const auto packed = write_initramfs(helper, initramfs);
    if (!packed) {
        return {false, packed.error().what, {}};
    }
    std::error_code ignored;
    fs::remove(answer.log, ignored);
    const std::vector<std::string> command = {qemu,
                                              "-accel",
                                              "kvm",
                                              "-m",
                                              "128",
                                              "-nodefaults",
                                              "-display",
                                              "none",
                                              "-no-reboot",
                                              "-serial",
                                              "file:" + answer.log.string(),
                                              "-kernel",
                                              kernel.string(),
                                              "-initrd",
                                              initramfs.string(),
                                              "-append",
                                              "console=ttyS0 panic=-1"};
    const auto booted = run_subprocess(command, Deadline("a guest under KVM to start", boot_limit));
    fs::remove(initramfs, ignored);
    const std::string console = read_text_file(answer.log).value_or("");
    // A guest that hangs says nothing: what was tried, and how it ended, is the log then.
    const std::string log =
        fmt::format("$ {}\n{}\nIts console:\n{}\n", fmt::join(command, " "),
                    booted ? fmt::format("ended with status {} {}", booted->status, booted->err)
                           : booted.error().message(),
                    console.empty() ? "(nothing)" : console);
    if (!write_text_file(answer.log, log)) {
        answer.log.clear();
    }
    answer.works = console.find(sign_of_life) != std::string::npos;
    if (answer.works) {
        answer.why = "a guest booted under KVM";
    } else if (!booted) {
        answer.why = fmt::format("/dev/kvm is there, but a guest does not start within {} s",
                                 boot_limit.count() / 1000);
    } else {
        answer.why =
            "/dev/kvm is there, but " +
            (booted->err.empty() ? std::string("the guest died") : first_line(booted->err));
    }
    return answer;
}

}  // namespace

Result<KvmAnswer> probe_kvm(const fs::path& kernel, const fs::path& cache, const fs::path& helper) {
    const Fd device(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!device) {
        return KvmAnswer{false, errno_error("cannot open /dev/kvm", errno).value().what, {}};
    }
    const fs::path folder = cache / "kvm";
    const fs::path remembered = folder / "answer.json";
    std::error_code error;
    fs::create_directories(folder, error);
    MOSRIG_TRY(const std::string key, answer_key());
    const auto old = nlohmann::json::parse(read_text_file(remembered).value_or(""), nullptr, false);
    if (old.is_object() && old.value("key", "") == key) {
        return KvmAnswer{old.value("works", false), old.value("why", ""), old.value("log", "")};
    }
    const KvmAnswer answer = boot_under_kvm(kernel, folder, helper);
    const nlohmann::json json = {
        {"key", key}, {"works", answer.works}, {"why", answer.why}, {"log", answer.log.string()}};
    MOSRIG_CHECK(write_text_file(remembered, json.dump(2) + "\n"));
    return answer;
}

}  // namespace mosrig
