// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/search.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <filesystem>
#include <fstream>

namespace mosrig {
namespace {

namespace fs = std::filesystem;

class Search : public testing::Test {
  protected:
    void SetUp() override {
        std::string path = testing::TempDir() + "om_pathXXXXXX";
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        root_ = path;
        fs::create_directories(root_ / "one" / "folder");
        fs::create_directory(root_ / "two");
        path_ = (root_ / "one").string() + ":" + (root_ / "two").string();
    }
    void TearDown() override { fs::remove_all(root_); }
    [[nodiscard]] std::string put(const std::string& name, mode_t mode) const {
        std::string file = (root_ / name).string();
        std::ofstream(file) << "x";
        ::chmod(file.c_str(), mode);
        return file;
    }
    fs::path root_;
    std::string path_;
};

TEST_F(Search, TakesTheFirstExecutableFile) {
    (void)put("one/plain", 0644);
    const std::string plain = put("two/plain", 0755);
    const std::string folder = put("two/folder", 0755);
    EXPECT_EQ(find_program("plain", path_).value_or(""), plain);
    EXPECT_EQ(find_program("folder", path_).value_or(""), folder);
}

TEST_F(Search, ANameWithASlashIsAFile) {
    EXPECT_EQ(find_program("./nowhere/x", path_).value_or(""), "./nowhere/x");
}

TEST_F(Search, TellsAbsentFromForbidden) {
    (void)put("one/plain", 0644);
    EXPECT_EQ(find_program("plain", path_).error().code, EACCES);
    EXPECT_EQ(find_program("absent", path_).error().code, ENOENT);
    EXPECT_EQ(find_program("", path_).error().code, ENOENT);
    EXPECT_EQ(find_program("absent", "").error().code, ENOENT);
}

}  // namespace
}  // namespace mosrig
