// SPDX-License-Identifier: MIT
#include "harness/cluster/cluster.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cluster/keys.h"
#include "harness/cluster/lifecycle.h"
#include "harness/cluster/plan.h"
#include "harness/cluster/resources.h"
#include "harness/cluster/seed.h"
#include "harness/hypervisor/daemons.h"
#include "harness/hypervisor/fake.h"

namespace mosrig {
namespace {

namespace fs = std::filesystem;

class StateDir : public ::testing::Test {
  protected:
    void SetUp() override {
        std::array<char, 40> name{"/tmp/mosrig-cluster-XXXXXX"};
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name.data();
        state_ = folder_ / "state";
        fs::create_directories(state_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    // A domain that no other test has: who has no hypervisor looks through the whole machine.
    std::string own_domain() const { return folder_.filename().string() + "-node1"; }

    void write_cluster() {
        ASSERT_TRUE(write_text_file(state_ / "cluster.json", R"({
            "cluster": "lab", "hypervisor": "fake:///", "accelerator": "tcg", "mutant": null,
            "kernel": {"dir": "/k", "release": "6.12.1", "config": "base", "cmdline": "quiet"},
            "image": {"kind": "mini", "path": "/i"}, "fabric_socket": "/s/fabric.sock",
            "nodes": [{"name": "node1", "id": 1, "domain": "lab-node1", "address": "10.66.0.1",
                       "ssh_port": 20001, "overlay": null},
                      {"name": "node2", "id": 2, "domain": "lab-node2"}]})"));
    }

    fs::path folder_;
    fs::path state_;
};

std::string domain(const std::string& name, const std::string& tag) {
    return "<domain><name>" + name + "</name><metadata><m:node xmlns:m='urn:mosrig:1' cluster='" +
           tag + "'/></metadata></domain>";
}

Result<std::unique_ptr<Hypervisor>> no_hypervisor(const std::string& /*uri*/) {
    return infra_error("no hypervisor");
}

// Every take_down needs a hypervisor of its own; the domains live in one for the whole test.
class Borrowed : public Hypervisor {
  public:
    explicit Borrowed(FakeHypervisor& fake) : fake_(fake) {}
    Result<std::vector<DomainInfo>> list() override { return fake_.list(); }
    Result<DomainState> state(const std::string& name) override { return fake_.state(name); }
    Result<void> create(const std::string& xml) override { return fake_.create(xml); }
    Result<void> destroy(const std::string& name) override { return fake_.destroy(name); }

  private:
    FakeHypervisor& fake_;
};

Connector connector(FakeHypervisor& fake) {
    return [&fake](const std::string&) -> Result<std::unique_ptr<Hypervisor>> {
        return std::make_unique<Borrowed>(fake);
    };
}

TEST_F(StateDir, ReadsWhatWasResolved) {
    write_cluster();
    const auto info = load_cluster_info(state_);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->name, "lab");
    EXPECT_EQ(info->mutant, "");
    EXPECT_EQ(info->kernel_release, "6.12.1");
    ASSERT_EQ(info->nodes.size(), 2U);
    EXPECT_EQ(info->nodes[0].ssh_port, 20001);
    EXPECT_TRUE(info->nodes[0].overlay.empty());
}

TEST_F(StateDir, NoClusterAndAHalfOneSayWhatToDo) {
    EXPECT_NE(Cluster::open(state_).error().remedy.find("mosrig up"), std::string::npos);
    write_cluster();
    EXPECT_NE(Cluster::open(state_).error().remedy.find("mosrig down"), std::string::npos);
    ASSERT_TRUE(write_text_file(state_ / "cluster.json", "{"));
    EXPECT_NE(load_cluster_info(state_).error().what.find("damaged"), std::string::npos);
}

TEST_F(StateDir, NodesAreFoundByNameAndId) {
    write_cluster();
    ASSERT_TRUE(write_text_file(state_ / "up.json", "{}"));
    ASSERT_TRUE(Calibration(3).save(state_));
    auto cluster = Cluster::open(state_);
    ASSERT_TRUE(cluster) << cluster.error().message();
    EXPECT_EQ(cluster->node(2)->name(), "node2");
    EXPECT_EQ(cluster->node(3), nullptr);
    EXPECT_EQ((*cluster->find("node1"))->id(), 1);
    EXPECT_EQ(cluster->find("node7").error().remedy, "there are node1, node2");
    EXPECT_EQ(cluster->deadline("x", Millis(1000)).total(), Millis(3000));
}

TEST_F(StateDir, DownEndsOnlyWhatWasRecordedAndIsOurs) {
    write_cluster();
    FakeHypervisor fake;
    ASSERT_TRUE(fake.create(domain("lab-node1", "lab")));
    ASSERT_TRUE(fake.create(domain("other-node1", "other")));
    fake.add_foreign("lab-node2");
    const ResourceLog log(state_);
    ASSERT_TRUE(ResourceLog(state_).record("domain", "lab-node1"));
    ASSERT_TRUE(ResourceLog(state_).record("domain", "lab-node2"));
    ASSERT_TRUE(ResourceLog(state_).record("domain", "lab-node3"));
    ASSERT_TRUE(ResourceLog(state_).record("process", (state_ / "mosrig-switch.pid").string()));
    ASSERT_EQ(log.load()->size(), 4U);
    Places places;
    places.state = state_;
    const auto done = take_down(
        places, [](const std::string&) {}, connector(fake));
    ASSERT_TRUE(done);
    EXPECT_TRUE(*done);
    EXPECT_FALSE(fs::exists(state_));
    EXPECT_EQ(fake.state("lab-node1").value(), DomainState::absent);
    EXPECT_EQ(fake.state("lab-node2").value(), DomainState::running) << "not ours by its mark";
    EXPECT_EQ(fake.state("other-node1").value(), DomainState::running);
    EXPECT_FALSE(*take_down(
        places, [](const std::string&) {}, connector(fake)));
}

TEST_F(StateDir, DownTakesAClusterThatBelongsToThisOneWithIt) {
    FakeHypervisor fake;
    ASSERT_TRUE(fake.create(domain("lab-proof-node1", "lab-proof")));
    const fs::path other = folder_ / "state-proof";
    fs::create_directories(other);
    ASSERT_TRUE(ResourceLog(state_).record("cluster", other.string()));
    ASSERT_TRUE(ResourceLog(other).record("domain", "lab-proof-node1"));
    Places places;
    places.state = state_;
    EXPECT_TRUE(take_down(
        places, [](const std::string&) {}, connector(fake)));
    EXPECT_FALSE(fs::exists(other));
    EXPECT_EQ(fake.state("lab-proof-node1").value(), DomainState::absent);
}

TEST_F(StateDir, ConsolesOutliveTheirCluster) {
    const fs::path kept = folder_ / "results" / "console";
    EXPECT_TRUE(keep_consoles(state_, kept)) << "a cluster that never had one";
    fs::create_directories(state_ / "console");
    ASSERT_TRUE(write_text_file(state_ / "console" / "node1.log", "first boot"));
    ASSERT_TRUE(keep_consoles(state_, kept));
    EXPECT_EQ(read_text_file(kept / "node1.log").value(), "first boot");
    ASSERT_TRUE(write_text_file(state_ / "console" / "node1.log", "second boot"));
    ASSERT_TRUE(keep_consoles(state_, kept));
    const std::string both = read_text_file(kept / "node1.log").value();
    EXPECT_EQ(both.find("first boot"), 0U);
    EXPECT_NE(both.find("second boot"), std::string::npos);
}

TEST_F(StateDir, DownWorksWithoutAHypervisor) {
    ASSERT_TRUE(ResourceLog(state_).record("domain", own_domain()));
    Places places;
    places.state = state_;
    EXPECT_TRUE(take_down(
        places, [](const std::string&) {}, no_hypervisor));
    EXPECT_FALSE(fs::exists(state_));
}

TEST_F(StateDir, DownForgetsNoNodeThatRunsOn) {
    ASSERT_TRUE(ResourceLog(state_).record("domain", own_domain()));
    // Waits for somebody to write; its last words are as QEMU's are.
    const auto node =
        start_daemon({"sh", "-c", R"(mkfifo "$0" && read -r line <"$0")", folder_ / "fifo",
                      "guest=" + own_domain() + ",debug-threads=on"},
                     folder_ / "log");
    ASSERT_TRUE(node);
    // /proc shows a program's words only some time after whoever started it goes on.
    ASSERT_TRUE(wait_until(Deadline("the node to run", Millis(10'000)),
                           [this]() -> Result<bool> { return fs::exists(folder_ / "fifo"); }));
    Places places;
    places.state = state_;
    const Progress quiet = [](const std::string&) {};
    const auto left = take_down(places, quiet, no_hypervisor);
    ASSERT_FALSE(left);
    EXPECT_NE(left.error().message().find(own_domain() + " still runs, as process " +
                                          std::to_string(*node)),
              std::string::npos);
    EXPECT_TRUE(fs::exists(state_));
    ASSERT_TRUE(end_process(*node, "sh"));
    EXPECT_TRUE(take_down(places, quiet, no_hypervisor));
    EXPECT_FALSE(fs::exists(state_));
}

TEST_F(StateDir, StatusTellsEachNode) {
    FakeHypervisor fake;
    EXPECT_FALSE(cluster_status(state_, connector(fake))->cluster);
    write_cluster();
    ASSERT_TRUE(fake.create(domain("lab-node1", "lab")));
    const auto status = cluster_status(state_, connector(fake));
    ASSERT_TRUE(status);
    EXPECT_FALSE(status->complete);
    EXPECT_EQ(status->nodes[0].state, DomainState::running);
    EXPECT_EQ(status->nodes[1].state, DomainState::absent);
}

TEST_F(StateDir, KeysArePrivateAndDropbearCanReadThem) {
    const auto keys = make_keys(folder_ / "keys");
    ASSERT_TRUE(keys) << keys.error().message();
    EXPECT_EQ(keys->authorized_keys.rfind("ssh-ed25519 ", 0), 0U);
    EXPECT_GE(keys->openmosix_key.size(), 32U);
    struct stat status = {};
    ASSERT_EQ(::stat((folder_ / "keys" / "openmosix").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    // length, "ssh-ed25519", length, 64 bytes whose second half is the public key of the file.
    ASSERT_EQ(keys->dropbear_host_key.size(), 4U + 11 + 4 + 64);
    const std::string public_half = keys->dropbear_host_key.substr(4 + 11 + 4 + 32);
    std::string blob(51, '\0');
    const std::string base64 =
        keys->host_key_public.substr(12, keys->host_key_public.find(' ', 12) - 12);
    ASSERT_EQ(
        sodium_base642bin(reinterpret_cast<unsigned char*>(blob.data()), blob.size(), base64.data(),
                          base64.size(), nullptr, nullptr, nullptr, sodium_base64_VARIANT_ORIGINAL),
        0);
    EXPECT_EQ(blob.substr(19), public_half);
    EXPECT_FALSE(to_dropbear("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END"));
}

TEST_F(StateDir, SeedUnpacksWithModesAndOwners) {
    fs::create_directories(folder_ / "bin" / "workloads");
    ASSERT_TRUE(write_text_file(folder_ / "bin" / "mosrig-run", "run", 0755));
    ASSERT_TRUE(write_text_file(folder_ / "bin" / "omd", "omd", 0755));
    ASSERT_TRUE(write_text_file(folder_ / "bin" / "migrate", "migrate", 0755));
    ASSERT_TRUE(write_text_file(folder_ / "bin" / "workloads" / "busy", "busy", 0755));
    fs::create_symlink("migrate", folder_ / "bin" / "mover");
    fs::create_directories(folder_ / "share" / "man" / "man1");
    ASSERT_TRUE(write_text_file(folder_ / "share" / "man" / "man1" / "migrate.1", "page", 0644));
    SeedFiles files;
    ASSERT_TRUE(add_guest_programs(folder_ / "bin", files));
    ClusterKeys keys;
    keys.openmosix_key = "secret";
    add_keys(keys, files);
    ASSERT_TRUE(write_seed(files, folder_ / "seed.tar"));
    const auto listed = run_subprocess({"tar", "-tvf", (folder_ / "seed.tar").string()},
                                       Deadline("tar", Millis(10'000)));
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->status, 0) << listed->err;
    for (const char* line :
         {"usr/local/lib/mosrig/mosrig-run", "usr/local/sbin/omd", "usr/local/bin/migrate",
          "usr/local/lib/mosrig/workloads/busy", "usr/local/bin/mover -> migrate",
          "usr/local/share/man/man1/migrate.1", "root/.ssh/authorized_keys"}) {
        EXPECT_NE(listed->out.find(line), std::string::npos) << line;
    }
    EXPECT_NE(listed->out.find("-rw------- 0/0"), std::string::npos);
    EXPECT_NE(listed->out.find("drwx------ 0/0"), std::string::npos);
    const std::string before = digest(files, "x");
    files["usr/local/bin/migrate"].content += " ";
    EXPECT_NE(digest(files, "x"), before);
}

TEST_F(StateDir, ProgramsThatWereBuiltSinceAreNotThoseOfTheNodes) {
    Places places;
    places.state = folder_;
    places.build = folder_ / "build";
    const fs::path bin = places.build / "guest" / "bin";
    fs::create_directories(bin);
    ASSERT_TRUE(write_text_file(bin / "mosrig-run", "run", 0755));
    const auto programs = programs_digest(places);
    ASSERT_TRUE(programs);
    EXPECT_FALSE(has_current_programs(places));  // nothing is up
    ASSERT_TRUE(write_text_file(folder_ / "up.json", R"({"programs": ")" + *programs + "\"}"));
    EXPECT_TRUE(has_current_programs(places).value());
    ASSERT_TRUE(write_text_file(bin / "mosrig-run", "run faster", 0755));
    EXPECT_FALSE(has_current_programs(places).value());
}

TEST_F(StateDir, TheFlagsOfTheStartAreKept) {
    ClusterFlags flags;
    EXPECT_TRUE(flags.words().empty()) << "all is as cluster.yml says";
    flags.nodes = 3;
    flags.mutant = "no-lock-inherit";
    flags.config = "/somewhere/cluster.yml";
    flags.more = {"--profile=node2=locked-boot", "--unlock-logins"};
    const std::vector<std::string> words = {
        "--config",        "/somewhere/cluster.yml",      "--nodes",        "3", "--mutant",
        "no-lock-inherit", "--profile=node2=locked-boot", "--unlock-logins"};
    EXPECT_EQ(flags.words(), words);
    EXPECT_FALSE(words_of_start(folder_)) << "nothing is up";
    ASSERT_TRUE(write_text_file(folder_ / "up.json", nlohmann::json{{"flags", words}}.dump()));
    EXPECT_EQ(words_of_start(folder_).value(), words);
}

TEST_F(StateDir, SeedWithoutProgramsSaysWhatToDo) {
    SeedFiles files;
    const auto added = add_guest_programs(folder_, files);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().remedy, "run `make build`");
}

}  // namespace
}  // namespace mosrig
