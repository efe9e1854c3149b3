// SPDX-License-Identifier: GPL-2.0-only
#include "omd/key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fstream>

namespace mosrig {
namespace {

class KeyFile : public testing::Test {
  protected:
    void SetUp() override {
        path_ = testing::TempDir() + "om_key." + std::to_string(::getpid());
        write(32, 0600);
    }
    void TearDown() override { ::unlink(path_.c_str()); }
    void write(std::size_t size, mode_t mode) {
        std::ofstream(path_, std::ios::trunc) << std::string(size, 'k');
        ::chmod(path_.c_str(), mode);
    }
    [[nodiscard]] std::string error() const {
        const auto keys = load_key(path_, ::getuid());
        return keys ? "" : keys.error().text;
    }
    std::string path_;
};

TEST_F(KeyFile, IsTakenWhenPrivateAndLongEnough) {
    EXPECT_EQ(error(), "");
}

TEST_F(KeyFile, IsRefusedInOneLineOtherwise) {
    write(31, 0600);
    EXPECT_NE(error().find("has 31 bytes, a key needs at least 32"), std::string::npos);
    for (const mode_t mode : {0640U, 0604U, 0700U, 0400U}) {
        write(32, mode);
        EXPECT_NE(error().find("must be a regular file of root's with mode 0600"),
                  std::string::npos)
            << mode;
        EXPECT_EQ(error().find('\n'), std::string::npos);
    }
    ::unlink(path_.c_str());
    EXPECT_NE(error().find("cannot open the cluster's key"), std::string::npos);
    EXPECT_NE(error().find("make one with"), std::string::npos);
    EXPECT_EQ(::symlink("/dev/zero", path_.c_str()), 0);
    EXPECT_NE(error(), "");
}

TEST_F(KeyFile, MustBelongToTheOwner) {
    EXPECT_FALSE(load_key(path_, ::getuid() + 1));
}

TEST(LinkKeys, DifferByMasterAndByDirection) {
    const Bytes master(32, 1);
    const Bytes other(32, 2);
    const Bytes message{1, 2, 3};
    const LinkKeys keys(master);
    const Mac mac = keys.sign(Role::home, message);
    EXPECT_TRUE(LinkKeys(master).verify(Role::home, message, mac));
    EXPECT_FALSE(keys.verify(Role::guest, message, mac));
    EXPECT_FALSE(LinkKeys(other).verify(Role::home, message, mac));
    EXPECT_FALSE(keys.verify(Role::home, Bytes{1, 2}, mac));
}

TEST(LinkKeys, LongKeysCountWhole) {
    Bytes master(100, 1);
    const Mac mac = LinkKeys(master).sign(Role::home, {});
    master.back() = 2;
    EXPECT_FALSE(LinkKeys(master).verify(Role::home, {}, mac));
}

}  // namespace
}  // namespace mosrig
