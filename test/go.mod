module github.com/innkeeper-iam/innkeeper/test

go 1.26.0
